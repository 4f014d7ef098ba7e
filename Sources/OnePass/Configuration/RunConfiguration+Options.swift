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

  /// Whether the option has no effect in some configurations.
  var isConditional: Bool { !groupApplies.isAlwaysMet || !option.applies.isAlwaysMet }

  /// What prevents the option from having an effect; `nil` if it has one.
  func obstacle(in configuration: RunConfiguration) -> OptionCondition.Obstacle? {
    groupApplies.obstacle(configuration) ?? option.applies.obstacle(configuration)
  }

  /// Whether the option can change results of a configuration.
  func matters(in configuration: RunConfiguration) -> Bool {
    option.changesResults && obstacle(in: configuration) == nil
  }
}

extension RunConfiguration {
  /// All options of all groups, in declaration order.
  var places: [OptionPlace] { OptionPlace.all(in: self) }

  /// All options with their declarations and values.
  package var declaredOptions: [any AnyRunOption] { places.map(\.option) }

  /// The defaults, with other values for some options.
  /// - Parameters:
  ///   - values: Values of the options' types, by the keys of a record. An optional that is `nil` keeps the default, and
  ///     unknown keys are ignored.
  ///   - preset: Values of options that are not in `values`. Those without an effect are dropped, and the model and the
  ///     mini-batch size keep their defaults; `nil` without a preset.
  package init(values: [String: Any], preset: [String: Any]? = nil) {
    self.init(data: "")
    for place in places { preset?[place.option.key].map { place.option.take($0, from: .implied) } }
    for place in places { values[place.option.key].map { place.option.take($0, from: .given) } }
    guard preset != nil else { return }
    for place in places where place.option.origin == .implied && place.obstacle(in: self) != nil {
      place.option.copy(Self.defaults.place(of: place.option.key).option)
    }
    for place in places where place.option.origin == .declared { place.option.mark(.implied) }
  }

  /// The option with a key.
  private func place(of key: String) -> OptionPlace {
    guard let place = places.first(where: { $0.option.key == key }) else {
      preconditionFailure("There is no option \(key).")
    }
    return place
  }

  /// Where the value of an option comes from.
  func origin(of key: String) -> OptionOrigin { place(of: key).option.origin }

  /// The options that were given although they have no effect, by their names on the command line.
  package var givenWithoutEffect: [String] { idleOptions.map(\.name) }

  /// The options that were given although they have no effect, with the reasons.
  var idleOptions: [(name: String, obstacle: OptionCondition.Obstacle)] {
    places.compactMap { place in
      guard place.option.origin == .given else { return nil }
      return place.obstacle(in: self).map { (place.option.name, $0) }
    }
  }

  /// This configuration as a record, which states options whether or not they have an effect.
  var asRecord: RunConfiguration {
    let record = keeping { _ in true }
    for place in record.places { place.option.mark(.implied) }
    return record
  }

  /// The name of an option and its value, for a name or a switch of the command line and of files.
  ///
  /// Aliases are replaced by the name that the option is declared with, and switches by their option. Other names are
  /// returned unchanged.
  /// - Parameters:
  ///   - name: A name without dashes, as `lr`.
  ///   - value: The value as text.
  package static func canonical(name: String, value: String) -> (name: String, value: String) {
    for option in defaults.declaredOptions {
      if option.aliases.contains(name) { return (option.name, value) }
      switch (value, option.switchTexts[name], option.value.flatMap(text)) {
      case ("true", let set?, _): return (option.name, set)
      case ("false", .some, let unset?): return (option.name, unset)
      default: continue
      }
    }
    return (name, value)
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
