import CStarter
import Foundation
import OnePassCLI
import OnePassTorch

// `onepass` for tests that start it often: with `--serve` it loads libtorch, which takes most of the time of a small run, and then
// starts a child for each request. Without, it is `onepass`, so that a child can start others, as `onepass experiment run` does.
var arguments = CommandLine.arguments
if arguments.dropFirst().first == "--serve" {
  try Engine.load()
  // Standard input is the socket of the requests. A copy of it, since children have another standard input.
  let socket = dup(0)
  var argument = starter_serve(socket)
  close(socket)
  arguments = []
  while let text = argument?.pointee {
    arguments.append(String(cString: text))
    argument = argument?.advanced(by: 1)
  }
}
runOnePass(commit: sourceCommit, isModified: sourceIsModified, arguments: arguments)
