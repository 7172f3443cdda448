"""The notebook: real kernels, real ledgers."""
