"""The experiment `dropout-study`, the lecture's exercise: what dropout does to a Linear + ReLU network on MNIST."""
