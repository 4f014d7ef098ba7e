import Testing

/// The largest difference between two results with the same names.
func difference(_ a: [String: [Double]], _ b: [String: [Double]]) throws -> Double {
  try #require(Set(a.keys) == Set(b.keys) && !a.isEmpty)
  return a.map { name, values in
    values.count == b[name]?.count ? zip(values, b[name] ?? []).map { abs($0 - $1) }.max() ?? 0 : .infinity
  }.max() ?? .infinity
}
