import OnePassCore

// MARK: Patterns and lists of shards

extension OnePassError {
  static func noShardsListed(in list: String) -> OnePassError {
    OnePassError(.badData, "\(list): no shards listed; write one path or address per line.")
  }

  static func malformedBraces(in pattern: String) -> OnePassError {
    OnePassError(
      .usage,
      "\(HTTPAddress.shown(pattern)): its braces name no shards; "
        + "use a range such as {0000..0009} or a list such as {a,b}.")
  }

  static func tooManyShards(in pattern: String, limit: Int) -> OnePassError {
    OnePassError(.usage, "\(HTTPAddress.shown(pattern)): more than \(limit) shards; check the range.")
  }

  static func noSuchShard(_ path: String) -> OnePassError {
    OnePassError(.io, "\(path): no such shard; check the path and the range.")
  }

  static func standardInputIsTerminal(_ specification: String) -> OnePassError {
    OnePassError(
      .usage,
      "\(specification): standard input is a terminal; pipe a tar file into it (cat train.tar | onepass …).")
  }

  static func standardInputAmongShards(_ specification: String) -> OnePassError {
    OnePassError(
      .usage, "\(specification): standard input (-) cannot be combined with other shards; use wds:-.")
  }
}

// MARK: Indexes

extension OnePassError {
  static func damagedIndex(_ path: String, cause: any Error) -> OnePassError {
    OnePassError(
      .badData, "\(path): not a complete wids index of version 1; re-create or remove it.", cause: cause)
  }

  static func exampleCountDiffers(_ shard: String, count: Int, expected: Int) -> OnePassError {
    OnePassError(
      .badData,
      "\(shard): \(count) examples, but its index states \(expected); download the shard again or remove the index."
    )
  }
}

// MARK: Samples

extension OnePassError {
  static func metadataIsNoObject(sample key: String, in shard: String) -> OnePassError {
    OnePassError(.badData, "\(shard): the .json of sample \"\(key)\" is not a JSON object; correct it.")
  }

  static func duplicateSampleEntry(sample key: String, in shard: String) -> OnePassError {
    OnePassError(
      .badData, "\(shard): sample \"\(key)\" has two entries of the same name; re-create the shard.")
  }

  static func sampleWithoutLabel(
    _ key: String, in shard: String, labelKey: LabelKey = .entry
  ) -> OnePassError {
    let entry = labelKey == .entry ? ".cls" : ".json"
    return OnePassError(
      .badData,
      "\(shard): sample \"\(key)\" has no label (an entry ending in \(entry)); add it or remove the sample.")
  }

  /// - Parameter field: A field of the sample's metadata that may be the label.
  static func sampleWithLabelInMetadata(
    _ key: String, in shard: String, field: String
  ) -> OnePassError {
    OnePassError(
      .badData,
      "\(shard): sample \"\(key)\" has no label (an entry ending in .cls), but its .json has the field \"\(field)\"; "
        + "pass --label-key json:\(field).")
  }

  /// The other part may be missing, or somewhere else in a stream that is read in order.
  static func samplePartIsNotAdjacent(
    _ gap: SampleGap, in shard: String, labelKey: LabelKey
  ) -> OnePassError {
    let entry = labelKey == .entry ? ".cls" : ".json"
    let part =
      gap.missing == .label
      ? "label (an entry ending in \(entry))"
      : "image (an entry ending in \(ImageNames.listedParts))"
    return OnePassError(
      .badData,
      "\(shard): sample \"\(gap.key)\" has no \(part) next to its other entries; in a compressed shard or a stream they "
        + "must be adjacent, as in tar --sort=name; re-create the archive, or pass it as an uncompressed file."
    )
  }

  static func metadataWithoutLabel(_ field: String, sample key: String, in shard: String) -> OnePassError {
    OnePassError(
      .badData,
      "\(shard): the .json of sample \"\(key)\" has no number or text \"\(field)\"; "
        + "correct it or pass another --label-key.")
  }

  static func sampleWithoutFolder(_ key: String, in shard: String) -> OnePassError {
    OnePassError(
      .badData,
      "\(shard): sample \"\(key)\" is not in a folder, which --label-key folder requires; pass another --label-key."
    )
  }

  static func sampleWithoutImage(_ key: String, in shard: String) -> OnePassError {
    OnePassError(
      .badData,
      "\(shard): sample \"\(key)\" has no image (an entry ending in \(ImageNames.listedParts)); "
        + "add it or remove the sample.")
  }

  /// - Parameter classNames: The number of class names that a label may be one of.
  static func unknownSampleLabel(
    _ label: String, sample key: String, in shard: String, classNames: Int
  ) -> OnePassError {
    let shown = label.count > 40 ? "\(label.prefix(40))…" : label
    let expected = classNames == 0 ? "a number" : "a number or one of the \(classNames) class names"
    return OnePassError(
      .badData, "\(shard): sample \"\(key)\" has label \"\(shown)\", which is not \(expected); correct it.")
  }
}
