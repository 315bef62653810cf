"""The pipeline: the only place that knows frontend, transforms, lowering and emission."""
