import OnePass
import OnePassCore
import OnePassData
import OnePassReplay

extension RunConfiguration {
  /// This run with the paper's method at the same k and the same storage.
  var withPaperMethod: RunConfiguration {
    var method = RunConfiguration.paper
    (method.storage, method.replaySteps) = (storage, replaySteps)
    return withReplayOptions(of: method).withAugmentation(of: method)
  }

  /// What all methods of a setting share.
  var withoutMethod: RunConfiguration {
    var shared = withReplayOptions(of: .paper).withAugmentation(of: .paper)
    (shared.method, shared.epochs) = (.naive, 1)
    return shared
  }
}
