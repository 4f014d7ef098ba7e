import OnePassData

/// Whether a run turns images upright that are stored rotated according to their metadata.
///
/// ```swift
/// var run = RunConfiguration(data: "folder:photos/train")
/// run.data.orientation = .apply
/// ```
public enum OrientationChoice: String, Codable, CaseIterable, Sendable {
  /// `apply` for `hf:`, as in the datasets library, and `ignore` for all other sources, as in torchvision's `ImageFolder`.
  case auto
  /// Pixels as they are stored.
  case ignore
  /// Upright pixels.
  case apply
}

extension RunConfiguration {
  /// Whether the run turns images upright.
  package var orientationPolicy: OrientationPolicy {
    switch data.orientation {
    case .apply: .apply
    case .ignore: .ignore
    case .auto, nil: data.source.hasPrefix("hf:") ? .apply : .ignore
    }
  }
}
