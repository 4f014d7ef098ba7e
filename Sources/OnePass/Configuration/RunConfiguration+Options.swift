/// A group of related options.
protocol RunOptionGroup: Hashable, Sendable {
  /// When the options of the group have an effect.
  static var applies: OptionCondition { get }
}

extension RunOptionGroup {
  static var applies: OptionCondition { .always }
}

/// An option of a configuration, with the condition of its group.
struct OptionPlace {
  let option: any WalkedOption
  /// When its group has an effect.
  let groupApplies: OptionCondition

  /// The options among the fields of a configuration or a group, in declaration order.
  static func all(in fields: Any, groupApplies: OptionCondition = .always) -> [OptionPlace] {
    Mirror(reflecting: fields).children.flatMap { field -> [OptionPlace] in
      switch field.value {
      case let option as any WalkedOption: [OptionPlace(option: option, groupApplies: groupApplies)]
      case let group as any RunOptionGroup: all(in: group, groupApplies: type(of: group).applies)
      default: preconditionFailure("\(field.label ?? "A field") must be an option or a group of options.")
      }
    }
  }

  /// Whether the option can change results of a configuration.
  func matters(in configuration: RunConfiguration) -> Bool {
    option.changesResults && groupApplies.holds(configuration) && option.applies.holds(configuration)
  }
}

extension RunConfiguration {
  /// All options of all groups, in declaration order.
  var places: [OptionPlace] { OptionPlace.all(in: self) }

  /// All options with their declarations and values.
  package var declaredOptions: [any AnyRunOption] { places.map(\.option) }

  /// The defaults, with other values for some options.
  /// - Parameter values: Values of the options' types, by the keys of a record. An optional that is `nil` keeps the default,
  ///   and unknown keys are ignored.
  package init(values: [String: Any]) {
    self.init(data: "")
    for place in places { values[place.option.key].map(place.option.take) }
  }

  /// The defaults, with this configuration's values for the options that satisfy a predicate.
  func keeping(_ isWanted: (OptionPlace) -> Bool) -> RunConfiguration {
    let kept = RunConfiguration(data: "")
    for (mine, other) in zip(places, kept.places) where isWanted(mine) { other.option.copy(mine.option) }
    return kept
  }

  /// All options by their names on the command line, with their values as text.
  package var options: [(name: String, value: String)] {
    places.map { ($0.option.name, $0.option.value.flatMap(Self.text) ?? "none") }
  }

  /// The text of a value; `nil` for an optional without a value.
  static func text(_ value: Any) -> String? {
    let mirror = Mirror(reflecting: value)
    if mirror.displayStyle == .optional { return mirror.children.first.flatMap { text($0.value) } }
    if let number = value as? Double { return "\(number)" }
    if let kind = value as? any RawRepresentable<String> { return kind.rawValue }
    return "\(value)"
  }
}
