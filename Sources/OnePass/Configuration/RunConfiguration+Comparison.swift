import OnePassCore
import OnePassData

extension RunConfiguration {
  /// This configuration with the replay, memory and step options of another.
  package func withReplay(of other: RunConfiguration) -> RunConfiguration {
    var changed = self
    (changed.replay, changed.memory, changed.step) = (other.replay, other.memory, other.step)
    return changed
  }

  /// This configuration with every option at its default that changes no more of a result than the last bits of sums.
  ///
  /// Two runs are the same experiment if their essences are equal.
  package var essence: RunConfiguration {
    let own = withoutSecrets
    var essence = own.keeping { $0.matters(in: own) }
    // The other methods make one pass, whatever the value.
    if method != .multiEpoch { essence.epochs = 1 }
    // The place of a memory changes nothing, but on disk the same number of bytes holds other items than in RAM.
    if essence.memory.directory != nil {
      essence.memory.directory = memory.storage.isInBytes ? "on disk" : nil
    }
    // An explicit default value equals an omitted one.
    if augmentation.choice.policy != nil { essence.augmentation.magnitude = imageAugmentation.magnitude }
    if recipe.mixing != .none {
      essence.recipe.mixingAlpha = recipe.mixingAlpha ?? recipe.mixing.standardAlpha
    }
    return essence
  }

  /// This configuration without secrets, to be stored and shown: signatures are removed from addresses.
  ///
  /// A resumed run may have other signatures.
  package var withoutSecrets: RunConfiguration {
    var kept = self
    kept.data.source = SourceRegistry.withoutSecrets(data.source)
    kept.data.evaluationSource = data.evaluationSource.map(SourceRegistry.withoutSecrets)
    return kept
  }

  /// The options with different values in two configurations, by their names on the command line.
  package func differences(from other: RunConfiguration) -> [(option: String, mine: String, theirs: String)] {
    zip(options, other.options).compactMap { mine, theirs in
      mine.value == theirs.value ? nil : (mine.name, mine.value, theirs.value)
    }
  }

  /// The first option in which a record differs from this request, as `replay-steps 1, not 2`; `nil` if there is none.
  ///
  /// Options whose values come from the data or are chosen by the stream count as equal, and so do the places of data: the
  /// same files may have been moved.
  package func difference(fromRecord record: RunConfiguration) -> String? {
    var record = record
    record.data.source = data.source
    if data.evaluationSource != nil, record.data.evaluationSource != nil {
      record.data.evaluationSource = data.evaluationSource
    }
    var fromData = Set(places.filter { $0.option.isFoundInData && $0.option.value == nil }.map(\.option.key))
    if isChosenByStream { fromData.formUnion(Self.chosenKeys) }
    let comparable = record.keeping { !fromData.contains($0.option.key) }
    return essence.differences(from: comparable.essence).first.map {
      "\($0.option) \($0.theirs), not \($0.mine)"
    }
  }
}
