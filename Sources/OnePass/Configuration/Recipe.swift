/// What moves the weights.
public enum OptimiserKind: String, CaseIterable, Codable, Sendable {
  /// SGD with Nesterov momentum for every parameter, as in the paper. The default.
  case sgd
  /// Muon for the filters of every convolution but the first, SGD for the rest.
  ///
  /// The first convolution stays with SGD as Jordan et al. 2024 leave input layers to the other optimiser: its few columns are
  /// pixels, which are almost alike, and directions in which they hardly differ would be made as large as any.
  case muon
}

/// What the weight decay of SGD takes hold of.
public enum WeightDecayScope: String, CaseIterable, Codable, Sendable {
  /// Every parameter. The default, which is what `torch.optim.SGD` does with all of a model's parameters.
  case all
  /// Filters and matrices; biases and batch normalisation are spared (He et al. 2019, "Bag of Tricks", section 3.1).
  case filters
}

/// What is made of two images that have been trained before, so that no image is learnt by heart.
public enum Mixing: String, CaseIterable, Codable, Sendable {
  /// Every image stays as it is. The default.
  case none
  /// Images and targets are averaged with the weights λ and 1 − λ (Zhang et al. 2018).
  case mixup
  /// A box of one image is put into the other; targets are averaged by area (Yun et al. 2019).
  case cutmix

  /// The α of Beta(α, α), from which λ is drawn, as the authors chose it for ImageNet.
  var standardAlpha: Double { self == .mixup ? 0.2 : 1 }
}
