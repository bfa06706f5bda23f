"""The parts of the pool's state machine test: the model, and the steps that are held against it."""
