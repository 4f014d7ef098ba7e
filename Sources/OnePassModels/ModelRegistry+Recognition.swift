extension ModelRegistry {
  /// Returns the name of the model with the given tensors, determined by its blocks; `nil` if it is not in ``names``.
  ///
  /// ```swift
  /// ModelRegistry.model(withTensors: try StateDictionary(safetensors: "weights.safetensors").names)  // resnet50
  /// ```
  /// - Parameter tensors: The names in torchvision's state dictionary: `layer1.0.conv1.weight`, …
  public static func model(withTensors tensors: [String]) -> String? {
    var blocks: [String: Set<Substring>] = [:]
    for name in tensors {
      let parts = name.split(separator: ".", maxSplits: 2)
      guard parts.count == 3, parts[0].hasPrefix("layer"), Int(parts[1]) != nil else { continue }
      blocks[String(parts[0]), default: []].insert(parts[1])
    }
    let counts = (1...blocks.count + 1).map { blocks["layer\($0)"]?.count ?? 0 }.prefix { $0 > 0 }
    let isBottleneck = tensors.contains("layer1.0.conv3.weight")
    if let depth = ResNet.Depth.allCases.first(where: {
      $0.blocks == Array(counts) && $0.isBottleneck == isBottleneck
    }) {
      return "\(depth)"
    }
    let isCIFAR = counts.count == 3 && Set(counts).count == 1 && !isBottleneck
    return isCIFAR ? CIFARResNet.Depth(rawValue: counts[0]).map { "\($0)" } : nil
  }
}
