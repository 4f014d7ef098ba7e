import OnePassCore

/// Built-in grids: the paper's tables and ablations.
///
/// The data, and every deviation from the paper's setting, come from the command line.
package enum GridPreset: String, CaseIterable, Sendable {
  /// Table 1: naive, prioritised replay with k = 8 and 10 %, 90 passes.
  case table1 = "opin-table1"
  /// Table 2: k = 1, 3, 5, 8 with 1, 5, 10 %, and multi-epoch training at the same compute.
  case table2 = "opin-table2"
  /// Section 4.3, and choices that the paper does not specify.
  case ablations = "opin-ablations"
  /// Both tables and the ablations on ILSVRC-2012, in the paper's setting.
  case imagenet

  /// A description of one line.
  package var summary: String {
    switch self {
    case .table1: "Table 1: naive, replay (k = 8, 10 %), 90 epochs"
    case .table2: "Table 2: k = 1, 3, 5, 8; storage 1, 5, 10 %"
    case .ablations: "Section 4.3 and open choices of the paper"
    case .imagenet: "all of these, in the paper's ImageNet setting"
    }
  }

  /// The grids of this preset.
  /// - Parameter memoryBytes: The budget at which encoded images are compared with pixels, such as `500MB`; `nil` leaves
  ///   this comparison out. The preset `imagenet` then uses 14 GB.
  /// - Throws: `OnePassError` (`usage`) for a budget that makes the YAML invalid.
  package func descriptions(memoryBytes: String?) throws -> [GridDescription] {
    switch self {
    case .table1, .table2: [try description(Self.paperOptions + text)]
    case .ablations: [try description(Self.paperOptions + text + Self.pixels(memoryBytes))]
    case .imagenet:
      try [Self.table1, .table2, .ablations].map { part in
        let cells = part.text + (part == .ablations ? Self.pixels(memoryBytes ?? "14GB") : "")
        return try GridDescription(
          text: text
            + cells.split(separator: "\n").filter { !$0.hasPrefix("seeds:") }.joined(separator: "\n"),
          source: "preset imagenet, \(part.rawValue)")
      }
    }
  }

  private func description(_ text: String) throws -> GridDescription {
    try GridDescription(text: text, source: "preset \(rawValue)")
  }

  /// The paper's model and mini-batch size, which the stream would choose otherwise.
  private static let paperOptions = """
    options:
      model: resnet50
      batch-size: 128

    """

  /// The preset as the text of a grid file.
  private var text: String {
    switch self {
    case .table1:
      """
      seeds: 3
      cells:
        - method: naive
        - method: replay
          replay-steps: 8
          storage: 10%
        - method: multi-epoch
          epochs: 90

      """
    case .table2:
      """
      seeds: 3
      cells:
        - method: replay
          replay-steps: [1, 3, 5, 8]
          storage: [1%, 5%, 10%]
        - method: multi-epoch
          epochs: [2, 4, 6, 9]

      """
    case .ablations:
      """
      seeds: 3
      cells:
        # The baselines.
        - {method: replay, replay-steps: 8, storage: [1%, 10%]}
        - {method: replay, replay-steps: 5, storage: 1%}
        # Section 4.3, in the paper's settings.
        - {method: replay, replay-steps: 8, storage: 10%, priority: uniform}
        - {method: replay, replay-steps: [5, 8], storage: 1%, importance-weights: false}
        - {method: replay, replay-steps: 5, storage: 1%, priority-timing: refreshed}
        # Choices that the paper does not specify.
        - {method: replay, replay-steps: 8, storage: 10%, alpha: literal}
        - {method: replay, replay-steps: 8, storage: 10%, updates: joint}
        - {method: replay, replay-steps: 8, storage: 10%, recency-bias: [1, 3]}
        - {method: replay, replay-steps: 8, storage: 10%, priority-timing: current}
        - {method: replay, replay-steps: 8, storage: 10%, incoming-view: centre}

      """
    case .imagenet:
      """
      options:
        model: resnet50
        image-size: 224
        batch-size: 128
        learning-rate: 0.1
        momentum: 0.9
      seeds: 10

      """
    }
  }

  /// Section 3.1: encoded images against pixels in the same number of bytes.
  private static func pixels(_ memoryBytes: String?) -> String {
    guard let memoryBytes else { return "" }
    return """
        - {method: replay, replay-steps: 8, storage: "\(memoryBytes)", memory-encoding: [original, pixels]}

      """
  }
}
