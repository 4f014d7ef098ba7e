import OnePass
import OnePassCore
import OnePassData
import OnePassReplay

extension RunConfiguration {
  /// This configuration with the paper's method at the same k and storage.
  var withPaperMethod: RunConfiguration {
    var changed = withReplay(of: .defaults)
    (changed.memory.storage, changed.replay.steps) = (memory.storage, replay.steps)
    changed.augmentation = RunConfiguration.defaults.augmentation
    return changed
  }

  /// This configuration with the paper's method and recipe, at the same k and storage, or the same number of passes.
  var asInThePaper: RunConfiguration { withPaperMethod.withPaperRecipe }

  /// This configuration with the paper's recipe.
  var withPaperRecipe: RunConfiguration {
    var changed = self
    changed.recipe = RunConfiguration.defaults.recipe
    return changed.essence
  }

  /// The options that all methods of a setting share.
  var withoutMethod: RunConfiguration {
    var shared = withReplay(of: .defaults)
    shared.augmentation = RunConfiguration.defaults.augmentation
    (shared.method, shared.epochs) = (.naive, 1)
    return shared
  }
}
