import OnePassCLI

// The commit is in this small target, so that a new commit recompiles one file instead of the library OnePassCLI.
runOnePass(commit: sourceCommit, isModified: sourceIsModified)
