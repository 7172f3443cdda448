"""What every runner needs: the contract, the wiring, and `python -m tradecore.runner`."""
