import OnePassServer

await runOnePassServe(commit: sourceCommit, isModified: sourceIsModified)
