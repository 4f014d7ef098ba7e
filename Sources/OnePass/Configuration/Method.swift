/// The training method: the rows of Table 1 of Hu et al. 2021.
///
/// ```swift
/// var configuration = RunConfiguration(data: "fashion-mnist")
/// configuration.method = .naive
/// ```
public enum Method: String, CaseIterable, Codable, Sendable {
  /// One pass over centre crops without a memory (Hu et al. 2021, section 2, "naive baseline").
  case naive
  /// One pass, with k mini-batches from the replay memory per incoming mini-batch (section 3).
  case replay
  /// Several passes over all data, shuffled for each pass: the reference for storage and compute.
  case multiEpoch = "multi-epoch"
}

/// Whether the k + 1 mini-batches of a step make separate updates or one.
///
/// The paper supports both readings: "together with the incoming mini-batch" and "k + 1 back-propagation operations".
///
/// ```swift
/// var configuration = RunConfiguration(data: "fashion-mnist")
/// configuration.step.updates = .joint
/// ```
public enum UpdateMode: String, CaseIterable, Codable, Sendable {
  /// k + 1 updates, the incoming mini-batch first. The default.
  case sequential
  /// One update with the mean of the k + 1 gradients. Batch statistics are computed per mini-batch.
  case joint
}

/// The loss and the smoothing factor α that a priority is computed from.
///
/// ```swift
/// var configuration = RunConfiguration(data: "fashion-mnist")
/// configuration.replay.priorityTiming = .refreshed
/// ```
public enum PriorityTiming: String, CaseIterable, Codable, Sendable {
  /// The loss and α of the step that inserted the item, as in the paper. The default.
  case insertion
  /// The loss at insertion with the current α.
  case current
  /// The loss and α of the item's last replay (the paper's ablation "priority updating", section 4.3).
  case refreshed
}

/// The crop of incoming images in training.
///
/// ```swift
/// var configuration = RunConfiguration(data: "fashion-mnist")
/// configuration.step.incomingView = .centre
/// ```
public enum IncomingView: String, CaseIterable, Codable, Sendable {
  /// Random crop and flip, as for replayed images. The default.
  case augmented
  /// Centre crop, as in evaluation.
  case centre
}

/// The encoding of incoming images in training.
///
/// ```swift
/// var configuration = RunConfiguration(data: "folder:photos/train")
/// configuration.memory.encoding = .resized
/// configuration.step.incomingForm = .stored
/// ```
public enum IncomingForm: String, CaseIterable, Codable, Sendable {
  /// As the images arrive. The default.
  case arrived
  /// Resized and compressed as in the memory, so that incoming and replayed images have the same artefacts.
  case stored
}
