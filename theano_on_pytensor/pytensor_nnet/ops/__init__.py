"""PyTensor Ops. They know the kernels; nothing here knows the rewrites."""
