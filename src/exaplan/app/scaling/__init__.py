"""Questions about capability: laws, sizes, what a target takes, wrong laws, reinforcement learning, alignment."""
