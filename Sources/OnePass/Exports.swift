// One import is enough for programs: it includes the modules of all types in the interface of a run.
@_exported import OnePassCore
@_exported import OnePassData
@_exported import OnePassModels
@_exported import OnePassReplay
@_exported import OnePassTorch
