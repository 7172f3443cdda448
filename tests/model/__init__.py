"""Three stores and a model in plain Python take the same steps, and must say the same after each."""
