import OnePassCore

/// The priority of an example from its loss and from how far the run has come: a pure function.
///
/// ```swift
/// struct LossPower: PriorityFunction {
///   var exponent = 2.0
///   func priority(loss: Double, progress: RunProgress) -> Double { pow(loss, exponent) }
/// }
/// ```
///
/// One that compares the loss with others says with which, and gets both; see ``LossContext``:
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
  /// What records call it, and what tells it from others when a run goes on.
  ///
  /// By default the type with its stored properties: `LossPower(exponent: 2.0)`.
  var name: String { get }

  /// What the loss is compared with; by default nothing.
  var basis: PriorityBasis { get }

  /// The priority of an example of which no more than its loss is known, finite and not negative.
  /// - Parameters:
  ///   - loss: The cross-entropy of the example, 0 … ∞, in nats; never NaN.
  ///   - progress: How far the run has come.
  func priority(loss: Double, progress: RunProgress) -> Double

  /// The priority, finite and not negative; by default that of the loss alone.
  /// - Parameters:
  ///   - losses: The loss of the example, and what ``basis`` asks for.
  ///   - progress: How far the run has come.
  func priority(of losses: LossContext, progress: RunProgress) -> Double
}

extension PriorityFunction {
  public var name: String { String(describing: self) }
  public var basis: PriorityBasis { .loss }
  public func priority(of losses: LossContext, progress: RunProgress) -> Double {
    priority(loss: losses.loss, progress: progress)
  }
}

/// The priority functions by their names on the command line.
public enum PriorityKind: Hashable, CaseIterable, Sendable, Codable {
  /// Error-prioritised replay, the paper's equation 1.
  case loss
  /// The same priority for every example: uniform replay.
  case uniform
  /// By how much the loss differs from the running average of the item's own.
  case learnability
  /// Less where the loss is below the mean of the memory.
  case pruning
  /// A function that a program brought itself, by its ``PriorityFunction/name``.
  case own(String)

  /// Those of OnePass.
  public static let allCases: [PriorityKind] = [.loss, .uniform, .learnability, .pruning]

  /// Whether it compares the losses of replays, and so means nothing but with `--priority-timing refreshed`.
  package var followsReplays: Bool { self == .learnability || self == .pruning }

  /// The function of this name.
  /// - Precondition: it is one of ``allCases``. A program's own function is nowhere but in the program.
  public func makeFunction(smoothing: SmoothingSchedule) -> any PriorityFunction {
    switch self {
    case .loss: LossPriority(smoothing: smoothing)
    case .uniform: UniformPriority()
    case .learnability: LearnabilityPriority(smoothing: smoothing)
    case .pruning: PruningPriority()
    case .own(let name):
      preconditionFailure("The priority function \(name) is a program's own and has to be given itself.")
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

  public init?(rawValue: String) {
    let known = Self.allCases.first { $0.rawValue == rawValue }
    guard let kind = known ?? OwnPart.name(in: rawValue).map(Self.own) else { return nil }
    self = kind
  }
}
