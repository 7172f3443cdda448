"""Models behind any OpenAI-compatible URL: hosted ones, and local ones such as Ollama, vLLM or LM Studio."""
