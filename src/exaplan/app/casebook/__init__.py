"""Questions that were really asked, each as a function from its inputs to an answer that is computed."""
