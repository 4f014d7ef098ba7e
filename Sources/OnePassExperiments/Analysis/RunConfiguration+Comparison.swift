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

  /// This run with the paper's method and the paper's recipe, at the same k and the same storage or with as many passes.
  var asInThePaper: RunConfiguration { withPaperMethod.withPaperRecipe }

  /// This run with the paper's recipe.
  var withPaperRecipe: RunConfiguration { withRecipe(of: .paper).essence }

  /// What all methods of a setting share.
  var withoutMethod: RunConfiguration {
    var shared = withReplayOptions(of: .paper).withAugmentation(of: .paper)
    (shared.method, shared.epochs) = (.naive, 1)
    return shared
  }
}
