// A program needs one import: what it hands to a run and gets from it comes with it.
@_exported import OnePassCore
@_exported import OnePassData
@_exported import OnePassModels
@_exported import OnePassReplay
@_exported import OnePassTorch
