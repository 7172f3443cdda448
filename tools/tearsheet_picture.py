"""The documentation's picture of a tear sheet, by headless Chromium: `python tools/tearsheet_picture.py BARS`.

BARS is a Parquet file of daily bars with SPY in it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

from tradecore.metrics import Curve
from tradecore.tearsheet import write_page
from tradecore_backtest import backtest
from tradecore_backtest.sheet import sheet_of

PICTURE = Path(__file__).parents[1] / "docs" / "images" / "tearsheet.png"
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--virtual-time-budget=8000")


def main(bars: str) -> None:
    """Run SMA 20/100 on SPY, draw its tear sheet, photograph it, and save the picture with few colours."""
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("chromium is not installed")
    result = backtest(bars, "sma", ["SPY"], parameters={"fast": 20, "slow": 100, "quantity": 300})
    benchmark = Curve.of((bar.start, bar.close) for bar in result.bars.of("SPY"))
    with tempfile.TemporaryDirectory() as folder:
        page, shot = Path(folder) / "sheet.html", Path(folder) / "shot.png"
        write_page(sheet_of(result, benchmark=benchmark), page)
        place = (f"--user-data-dir={folder}/profile", f"--screenshot={shot}", "--window-size=1100,1750")
        subprocess.run([chromium, *FLAGS, *place, page.as_uri()], check=True, capture_output=True)
        PICTURE.parent.mkdir(exist_ok=True)
        Image.open(shot).convert("RGB").quantize(200, Image.Quantize.FASTOCTREE).save(PICTURE, optimize=True)


if __name__ == "__main__":
    main(sys.argv[1])
