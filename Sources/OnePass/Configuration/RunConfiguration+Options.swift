/// Options that belong together.
protocol RunOptionGroup: Hashable, Sendable {
  /// When the options of the group do anything.
  static var applies: OptionCondition { get }
}

extension RunOptionGroup {
  static var applies: OptionCondition { .always }
}

/// An option of a configuration, and where it stands.
struct OptionPlace {
  let option: any WalkedOption
  /// When its group does anything.
  let groupApplies: OptionCondition

  /// The options among the fields of a configuration or a group, in their order.
  static func all(in fields: Any, groupApplies: OptionCondition = .always) -> [OptionPlace] {
    Mirror(reflecting: fields).children.flatMap { field -> [OptionPlace] in
      switch field.value {
      case let option as any WalkedOption: [OptionPlace(option: option, groupApplies: groupApplies)]
      case let group as any RunOptionGroup: all(in: group, groupApplies: type(of: group).applies)
      default: preconditionFailure("\(field.label ?? "A field") is neither an option nor a group of them.")
      }
    }
  }

  /// Whether a result depends on the option in a configuration.
  func matters(in configuration: RunConfiguration) -> Bool {
    option.changesResults && groupApplies.holds(configuration) && option.applies.holds(configuration)
  }
}

extension RunConfiguration {
  /// Every option of every group, in their order.
  var places: [OptionPlace] { OptionPlace.all(in: self) }

  /// Every option as it is declared, with its value.
  package var declaredOptions: [any AnyRunOption] { places.map(\.option) }

  /// The defaults, with the values of some options.
  /// - Parameter values: By the keys of a record; each of the option's type. An optional that is `nil` says nothing, and
  ///   keys of no option are passed over.
  package init(values: [String: Any]) {
    self.init(data: "")
    for place in places { values[place.option.key].map(place.option.take) }
  }

  /// The defaults, with this configuration's values where they are wanted.
  func keeping(_ isWanted: (OptionPlace) -> Bool) -> RunConfiguration {
    let kept = RunConfiguration(data: "")
    for (mine, other) in zip(places, kept.places) where isWanted(mine) { other.option.copy(mine.option) }
    return kept
  }

  /// Every option by its name on the command line, with its value as text.
  package var options: [(name: String, value: String)] {
    places.map { ($0.option.name, $0.option.value.flatMap(Self.text) ?? "none") }
  }

  /// `nil` for an option that is left to the program.
  static func text(_ value: Any) -> String? {
    let mirror = Mirror(reflecting: value)
    if mirror.displayStyle == .optional { return mirror.children.first.flatMap { text($0.value) } }
    if let number = value as? Double { return "\(number)" }
    if let kind = value as? any RawRepresentable<String> { return kind.rawValue }
    return "\(value)"
  }
}
