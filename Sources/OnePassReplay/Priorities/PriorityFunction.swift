import OnePassCore

/// A pure function from the loss of an example and the progress of the run to a priority.
///
/// ```swift
/// struct LossPower: PriorityFunction {
///   var exponent = 2.0
///   func priority(loss: Double, progress: RunProgress) -> Double { pow(loss, exponent) }
/// }
/// ```
///
/// A function can compare the loss with a reference, which it declares as its ``basis``; see ``LossContext``:
///
/// ```swift
/// struct AboveMean: PriorityFunction {
///   let basis = PriorityBasis.memoryMean
///   func priority(loss: Double, progress: RunProgress) -> Double { 1 }
///   func priority(of losses: LossContext, progress: RunProgress) -> Double {
///     losses.memoryMean.map { losses.loss > $0 ? 1 : 0.1 } ?? 1
///   }
/// }
/// ```
public protocol PriorityFunction: Sendable {
  /// The name in records. A resumed run must use a function of the same name.
  ///
  /// By default, the type with its stored properties: `LossPower(exponent: 2.0)`.
  var name: String { get }

  /// The reference for the loss; none by default.
  var basis: PriorityBasis { get }

  /// Returns the priority for a loss without a reference; finite and at least 0.
  /// - Parameters:
  ///   - loss: The cross-entropy of the example, in nats, 0 … ∞; never NaN.
  ///   - progress: The progress of the run.
  func priority(loss: Double, progress: RunProgress) -> Double

  /// Returns the priority for a loss and its reference; finite and at least 0. By default, the reference is ignored.
  /// - Parameters:
  ///   - losses: The loss of the example, and the reference that ``basis`` selects.
  ///   - progress: The progress of the run.
  func priority(of losses: LossContext, progress: RunProgress) -> Double
}

extension PriorityFunction {
  public var name: String { String(describing: self) }
  public var basis: PriorityBasis { .loss }
  public func priority(of losses: LossContext, progress: RunProgress) -> Double {
    priority(loss: losses.loss, progress: progress)
  }
}

/// A priority function by its name on the command line.
///
/// ```swift
/// let kind = PriorityKind(rawValue: "learnability")
/// print(kind?.makeFunction(smoothing: .full).name ?? "unknown")
/// ```
public enum PriorityKind: Hashable, CaseIterable, Sendable, Codable {
  /// ``LossPriority``: error-prioritised replay, equation 1 of the paper.
  case loss
  /// ``UniformPriority``: the same priority for every example.
  case uniform
  /// ``LearnabilityPriority``: by the difference between the loss and its running average.
  case learnability
  /// ``PruningPriority``: lower for losses below the mean of the memory.
  case pruning
  /// A custom function, by its ``PriorityFunction/name``.
  case own(String)

  /// The built-in functions.
  public static let allCases: [PriorityKind] = [.loss, .uniform, .learnability, .pruning]

  /// Whether it compares losses of replays, and so requires `--priority-timing refreshed`.
  package var followsReplays: Bool { self == .learnability || self == .pruning }

  /// Creates the built-in function of this name.
  /// - Precondition: The kind is one of ``allCases``. Custom functions exist only in the program that defines them.
  public func makeFunction(smoothing: SmoothingSchedule) -> any PriorityFunction {
    switch self {
    case .loss: LossPriority(smoothing: smoothing)
    case .uniform: UniformPriority()
    case .learnability: LearnabilityPriority(smoothing: smoothing)
    case .pruning: PruningPriority()
    case .own(let name):
      preconditionFailure("A custom priority function (\(name)) cannot be created by name.")
    }
  }
}

extension PriorityKind: RawRepresentable {
  /// `loss`, `uniform`, `learnability`, `pruning`, or `own:` and a name.
  public var rawValue: String {
    switch self {
    case .loss: "loss"
    case .uniform: "uniform"
    case .learnability: "learnability"
    case .pruning: "pruning"
    case .own(let name): OwnPart.record(of: name)
    }
  }

  /// Creates a kind from its name; `nil` for an unknown name.
  public init?(rawValue: String) {
    let known = Self.allCases.first { $0.rawValue == rawValue }
    guard let kind = known ?? OwnPart.name(in: rawValue).map(Self.own) else { return nil }
    self = kind
  }
}
