import OnePassCore
import OnePassData

extension RunConfiguration {
  /// This run with the other's replay.
  package func withReplay(of other: RunConfiguration) -> RunConfiguration {
    var changed = self
    (changed.replay, changed.memory, changed.step) = (other.replay, other.memory, other.step)
    return changed
  }

  /// This run with the defaults for the options that do nothing in it, and for those on which no result depends: what is left
  /// tells two runs apart.
  package var essence: RunConfiguration {
    let own = withoutSecrets
    var essence = own.keeping { $0.matters(in: own) }
    // The other methods make one pass, whatever is said.
    if method != .multiEpoch { essence.epochs = 1 }
    // Where a memory lies changes nothing; that it lies on disk changes what a number of bytes holds.
    if essence.memory.directory != nil {
      essence.memory.directory = memory.storage.isInBytes ? "on disk" : nil
    }
    // Whoever gives the usual value does what happens anyway.
    if augmentation.choice.policy != nil { essence.augmentation.magnitude = imageAugmentation.magnitude }
    if recipe.mixing != .none {
      essence.recipe.mixingAlpha = recipe.mixingAlpha ?? recipe.mixing.standardAlpha
    }
    return essence
  }

  /// This run as it may be kept and shown: signatures in addresses are left out, and may be others when it is resumed.
  package var withoutSecrets: RunConfiguration {
    var kept = self
    kept.data.source = SourceRegistry.withoutSecrets(data.source)
    kept.data.evaluationSource = data.evaluationSource.map(SourceRegistry.withoutSecrets)
    return kept
  }

  /// The options in which two runs differ, by their names on the command line, with the values of each.
  package func differences(from other: RunConfiguration) -> [(option: String, mine: String, theirs: String)] {
    zip(options, other.options).compactMap { mine, theirs in
      mine.value == theirs.value ? nil : (mine.name, mine.value, theirs.value)
    }
  }

  /// The first option in which a record differs from this request, in words; `nil` if it is the same run.
  ///
  /// Options that were left to the data count as equal.
  package func difference(fromRecord record: RunConfiguration) -> String? {
    let left = Set(places.filter { $0.option.isFoundInData && $0.option.value == nil }.map(\.option.key))
    let asked = record.keeping { !left.contains($0.option.key) }
    return essence.differences(from: asked.essence).first.map {
      "\($0.option) \($0.theirs) and not \($0.mine)"
    }
  }
}
