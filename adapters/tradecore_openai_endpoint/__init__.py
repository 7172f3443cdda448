"""An OpenAI-compatible endpoint on loopback in front of the gateway, for frameworks that know nothing of tradecore.

They run by configuration alone (a base URL, a token, a role as the model's name), and every call of theirs is
recorded, paid from the budget, and can be replayed.
"""
