/// The CSS of the report, for light and dark themes, small screens and print. It loads nothing.
enum ReportStyle {
  /// Colours that are distinguishable with any colour vision (Okabe and Ito 2008), lighter on a dark background.
  private static let light = """
    --ink:#1c1e21;--soft:#5b6068;--ground:#fff;--panel:#f6f7f8;--rule:#d9dce0;--c0:#0072b2;--c1:#d55e00;--c2:#00875f;\
    --c3:#b0568b;--c4:#8a6d00;--c5:#3a8fc4;--c6:#6b7077
    """
  private static let dark = """
    --ink:#e8e9eb;--soft:#a3a8b0;--ground:#15171a;--panel:#1e2125;--rule:#3a3e45;--c0:#5ab0e8;--c1:#ff9252;--c2:#3fd0a0;\
    --c3:#e6a0ca;--c4:#ecc04a;--c5:#9ad4f7;--c6:#a3a8b0
    """

  private static let chart = """
    .chart text{font:12px system-ui,sans-serif;fill:var(--ink)}
    .chart .halo{paint-order:stroke;stroke:var(--ground);stroke-width:3px;stroke-linejoin:round}
    .chart .grid{stroke:var(--rule);stroke-width:.6}.chart .axis{stroke:var(--soft)}
    .chart .level{stroke:var(--soft);stroke-dasharray:2 3}
    .chart .line{fill:none;stroke-width:1.7;stroke-linejoin:round}.chart .dashed{stroke-dasharray:5 4;stroke-width:1.2}
    .chart .cloud{fill:none;stroke-width:3.2;stroke-linecap:round;stroke-opacity:.42}.chart .bar{stroke:none}
    .chart .error{stroke-width:1.2}.chart .hollow{fill:var(--ground);stroke-width:1.6}.chart .bubble{fill-opacity:.55}
    \((0..<Chart.colours).map { ".chart .c\($0){stroke:var(--c\($0))}.chart .mark.c\($0),.chart .bubble.c\($0),.chart .bar.c\($0){fill:var(--c\($0))}" }
      .joined())
    """

  /// For a chart in an SVG file: a README can have either background.
  static let chartFile =
    "svg{\(light);background:var(--ground)}@media(prefers-color-scheme:dark){svg{\(dark)}}\(chart)"

  static let page = """
    :root{color-scheme:light dark;\(light)}
    @media(prefers-color-scheme:dark){:root{\(dark)}}
    *{box-sizing:border-box}
    body{margin:0 auto;padding:1.2rem clamp(.8rem,3vw,2.5rem) 4rem;max-width:76rem;font:16px/1.55 system-ui,sans-serif;\
    color:var(--ink);background:var(--ground)}
    h1{font-size:1.7rem;line-height:1.2;margin:.4rem 0}h2{font-size:1.3rem;margin:3rem 0 .6rem;padding-top:.6rem;\
    border-top:2px solid var(--rule)}h3{font-size:1.05rem;margin:2rem 0 .5rem}
    p{max-width:46rem;margin:.5rem 0}.note,.lead{color:var(--soft)}.note{font-size:.86rem}
    nav{margin:1rem 0}nav a{margin-right:1rem}a{color:var(--c0)}
    .wide{overflow-x:auto;margin:1rem 0 .4rem;max-width:100%}.wide:focus-visible{outline:2px solid var(--c0)}
    table{border-collapse:collapse;font-size:.88rem;font-variant-numeric:tabular-nums}
    caption{text-align:left;font-weight:600;padding:.3rem 0}
    th,td{padding:.28rem .9rem .28rem 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--rule)}
    th{font-weight:600;color:var(--soft);vertical-align:bottom}.n{text-align:right;white-space:nowrap}
    td.w{min-width:12rem}
    .charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,27rem),1fr));gap:1.2rem 2rem;margin:1rem 0}
    figure{margin:0;break-inside:avoid}figcaption{font-weight:600;font-size:.92rem;margin-bottom:.3rem}
    figcaption small{display:block;font-weight:400;color:var(--soft);line-height:1.35}
    .chart{display:block;overflow:visible;width:100%;height:auto;max-width:40rem}
    details{margin:.6rem 0}summary{cursor:pointer;color:var(--c0)}
    pre{overflow-x:auto;background:var(--panel);padding:.7rem;font-size:.78rem;line-height:1.35}
    .warn{border-left:4px solid var(--c1);padding:.2rem .8rem;background:var(--panel)}
    @media print{details:not([open])::details-content{content-visibility:visible;block-size:auto}summary{display:none}:root{color-scheme:light;\(light)}body{max-width:none;padding:0;font-size:10.5pt}nav{display:none}\
    .wide{overflow:visible}table{font-size:8pt}.charts{grid-template-columns:1fr 1fr}h2,h3,caption{break-after:avoid}tr{break-inside:avoid}}
    \(chart)
    """
}
