import OnePass
import OnePassCore
import OnePassData
import OnePassReplay

extension RunConfiguration {
  /// This run with the paper's method at the same k and the same storage.
  var withPaperMethod: RunConfiguration {
    var changed = withReplay(of: .defaults)
    (changed.memory.storage, changed.replay.steps) = (memory.storage, replay.steps)
    changed.augmentation = RunConfiguration.defaults.augmentation
    return changed
  }

  /// This run with the paper's method and the paper's recipe, at the same k and the same storage or with as many passes.
  var asInThePaper: RunConfiguration { withPaperMethod.withPaperRecipe }

  /// This run with the paper's recipe.
  var withPaperRecipe: RunConfiguration {
    var changed = self
    changed.recipe = RunConfiguration.defaults.recipe
    return changed.essence
  }

  /// What all methods of a setting share.
  var withoutMethod: RunConfiguration {
    var shared = withReplay(of: .defaults)
    shared.augmentation = RunConfiguration.defaults.augmentation
    (shared.method, shared.epochs) = (.naive, 1)
    return shared
  }
}
