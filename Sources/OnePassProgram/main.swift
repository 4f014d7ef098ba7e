import OnePassCLI

// What there is of the program beside the library OnePassCLI: the commit it is built from, which would otherwise have much
// compiled again after each commit.
runOnePass(commit: sourceCommit, isModified: sourceIsModified)
