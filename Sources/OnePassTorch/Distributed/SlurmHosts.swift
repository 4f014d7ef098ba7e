/// The first host of a list as Slurm abbreviates it: `node[007-009,12],login` begins with `node007`.
///
/// `nil` for a list that names no host.
func firstSlurmHost(in list: String) -> String? {
  var host = ""
  var rest = Substring(list)
  while let character = rest.popFirst(), character != "," {
    guard character == "[" else {
      host.append(character)
      continue
    }
    // The first number of the bracket: up to the end of a range, the next entry, or the bracket's end.
    let number = rest.prefix { $0 != "-" && $0 != "," && $0 != "]" }
    guard !number.isEmpty, let end = rest.firstIndex(of: "]") else { return nil }
    host += number
    rest = rest[rest.index(after: end)...]
  }
  return host.isEmpty ? nil : host
}
