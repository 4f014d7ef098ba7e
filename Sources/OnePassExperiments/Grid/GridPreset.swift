import OnePassCore

/// Grids that come with the program: the paper's tables.
///
/// Each takes its data, and whatever else differs from the paper's setting, from the command line.
package enum GridPreset: String, CaseIterable, Sendable {
  /// Table 1: naive, prioritised replay with k = 8 and 10 %, 90 passes.
  case table1 = "opin-table1"
  /// Table 2: k = 1, 3, 5, 8 with 1, 5, 10 %, and multi-epoch training at the same compute.
  case table2 = "opin-table2"
  /// Section 4.3, and the choices that the paper leaves open.
  case ablations = "opin-ablations"
  /// Both tables and the ablations on ILSVRC-2012, exactly as in the paper.
  case imagenet

  /// What the preset is, in a line.
  package var summary: String {
    switch self {
    case .table1: "the paper's Table 1: naive, replay with k = 8 and 10 %, 90 passes"
    case .table2: "the paper's Table 2: k = 1, 3, 5, 8 with 1, 5, 10 %; multi-epoch at the same compute"
    case .ablations: "section 4.3 and what the paper leaves open: priorities, weights, α, β, updates, pixels"
    case .imagenet: "all of them with ResNet-50 at 224 on ILSVRC-2012, 10 orders: the paper's setting"
    }
  }

  /// The grid files of this preset.
  /// - Parameter memoryBytes: The budget at which encoded bytes are compared with pixels; without one, that
  ///   comparison is left out.
  package func descriptions(memoryBytes: String?) throws -> [GridDescription] {
    switch self {
    case .table1, .table2: [try description(text)]
    case .ablations: [try description(text + Self.pixels(memoryBytes))]
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

  /// The preset as a grid file.
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
        # What the others are compared with.
        - {method: replay, replay-steps: 8, storage: [1%, 10%]}
        - {method: replay, replay-steps: 5, storage: 1%}
        # Section 4.3, at the paper's own settings.
        - {method: replay, replay-steps: 8, storage: 10%, priority: uniform}
        - {method: replay, replay-steps: [5, 8], storage: 1%, importance-weights: false}
        - {method: replay, replay-steps: 5, storage: 1%, priority-timing: refreshed}
        # What the paper leaves open.
        - {method: replay, replay-steps: 8, storage: 10%, alpha: literal}
        - {method: replay, replay-steps: 8, storage: 10%, updates: joint}
        - {method: replay, replay-steps: 8, storage: 10%, recency-bias: [1, 3]}

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

  /// Section 3.1: encoded bytes against pixels in the same room.
  private static func pixels(_ memoryBytes: String?) -> String {
    guard let memoryBytes else { return "" }
    return """
        - {method: replay, replay-steps: 8, storage: "\(memoryBytes)", memory-encoding: [original, pixels]}

      """
  }
}
