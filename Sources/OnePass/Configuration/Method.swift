/// How the stream is used: the rows of the paper's Table 1.
public enum Method: String, CaseIterable, Codable, Sendable {
  /// Every example once, centre crops, nothing kept (Hu et al. 2021, section 2, "naive baseline").
  case naive
  /// Every example once, and k mini-batches from the replay memory with each (section 3).
  case replay
  /// All data kept, E passes, reshuffled each pass: the reference for storage and compute.
  case multiEpoch = "multi-epoch"
}

/// Whether the k + 1 mini-batches of a step are trained one after the other or as one.
///
/// The paper says both "together with the incoming mini-batch" and "k + 1 back-propagation operations".
public enum UpdateMode: String, CaseIterable, Codable, Sendable {
  /// k + 1 updates, the incoming mini-batch first. The default.
  case sequential
  /// One update with the mean of the k + 1 gradients; batch statistics stay those of each mini-batch.
  case joint
}

/// Which loss and which α an item's priority comes from.
public enum PriorityTiming: String, CaseIterable, Codable, Sendable {
  /// Both are those of the step that brought the item in, as in the paper. The default.
  case insertion
  /// The loss of that step with the α of the current one.
  case current
  /// Those of the item's last replay (the paper's ablation "priority updating", section 4.3).
  case refreshed
}

/// How an incoming image is cropped while it trains.
public enum IncomingView: String, CaseIterable, Codable, Sendable {
  /// Random crop and flip, like every replayed image.
  case augmented
  /// Centre crop, as in evaluation.
  case centre
}

/// In which form an incoming image trains.
public enum IncomingForm: String, CaseIterable, Codable, Sendable {
  /// As it arrived. The default.
  case arrived
  /// Resized and compressed as the memory keeps images, so that both look alike.
  case stored
}
