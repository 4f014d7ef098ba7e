/// The optimiser of a run.
///
/// ```swift
/// var configuration = RunConfiguration(data: "fashion-mnist")
/// configuration.recipe.optimiser = .muon
/// ```
public enum OptimiserKind: String, CaseIterable, Codable, Sendable {
  /// SGD with Nesterov momentum for every parameter, as in the paper. The default.
  case sgd
  /// Muon for the filters of every convolution but the first, SGD for all other parameters (Jordan et al. 2024).
  ///
  /// Muon gives all directions of an update the same size. The input pixels of the first convolution are strongly correlated,
  /// so directions in which they hardly differ would be amplified.
  case muon
}

/// The parameters that the weight decay of SGD applies to.
///
/// ```swift
/// var configuration = RunConfiguration(data: "fashion-mnist")
/// configuration.recipe.weightDecay = 5e-4
/// configuration.recipe.weightDecayOn = .filters
/// ```
public enum WeightDecayScope: String, CaseIterable, Codable, Sendable {
  /// Every parameter, as with `torch.optim.SGD` over all parameters of a model. The default.
  case all
  /// Filters and matrices, without biases and batch normalisation (He et al. 2019, "Bag of Tricks", section 3.1).
  case filters
}

/// How pairs of images that were trained before are mixed, against memorising them.
///
/// ```swift
/// var configuration = RunConfiguration(data: "fashion-mnist")
/// configuration.recipe.mixing = .cutmix
/// ```
public enum Mixing: String, CaseIterable, Codable, Sendable {
  /// No mixing. The default.
  case none
  /// Images and targets are averaged with weights λ and 1 − λ (Zhang et al. 2018).
  case mixup
  /// A box of one image replaces that of the other; targets are averaged by area (Yun et al. 2019).
  case cutmix

  /// The default α of Beta(α, α), the distribution of λ: the authors' choice for ImageNet.
  var standardAlpha: Double { self == .mixup ? 0.2 : 1 }
}
