"""The gateway to models: chains, budgets, breakers, records and replay. Providers are plugins (`tradecore.models`)."""
