"""The only place that knows everybody: the pipeline, the handles that users hold, and the commands."""
