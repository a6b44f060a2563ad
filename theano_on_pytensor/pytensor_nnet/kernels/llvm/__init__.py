"""Kernels written as LLVM's intermediate representation, for this machine's CPU.

A kernel is generated for the sizes of one layer, compiled by llvmlite, kept in
the user's cache folder and called through ctypes. Nothing here knows PyTensor,
and nothing is imported before it is used: :mod:`pytensor_nnet.kernels` has a
NumPy counterpart of each, which serves where llvmlite is missing.
"""
