"""Agents: those that tradecore brings, and what makes the decisions of other frameworks judgements of ours."""
