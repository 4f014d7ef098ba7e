/// Returns the first host of an abbreviated Slurm host list, for example `node007` of `node[007-009,12],login`.
///
/// `nil` if the list contains no host.
func firstSlurmHost(in list: String) -> String? {
  var host = ""
  var rest = Substring(list)
  while let character = rest.popFirst(), character != "," {
    guard character == "[" else {
      host.append(character)
      continue
    }
    // The first number in the brackets ends at a range, at the next entry, or at the closing bracket.
    let number = rest.prefix { $0 != "-" && $0 != "," && $0 != "]" }
    guard !number.isEmpty, let end = rest.firstIndex(of: "]") else { return nil }
    host += number
    rest = rest[rest.index(after: end)...]
  }
  return host.isEmpty ? nil : host
}
