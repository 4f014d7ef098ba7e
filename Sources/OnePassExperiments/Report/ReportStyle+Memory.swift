extension ReportStyle {
  /// The CSS that the pages of a memory and of errors add to ``page``.
  static let memory = """
    h1{overflow-wrap:anywhere}.lead{overflow-wrap:anywhere}
    nav a{display:inline-block;padding:.25rem 0}a:focus-visible,summary:focus-visible{outline:2px solid var(--c0);outline-offset:2px}
    .tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(10.5rem,1fr));gap:.8rem;margin:1rem 0}
    .tiles div{background:var(--panel);padding:.7rem .9rem;break-inside:avoid}
    .tiles dt{color:var(--soft);font-size:.82rem}.tiles dd{margin:0}
    .tiles b{display:block;font-size:1.5rem;line-height:1.3;font-variant-numeric:tabular-nums}
    .tiles small{color:var(--soft);display:block;line-height:1.35}
    .pictures{list-style:none;margin:1rem 0;padding:0;display:grid;\
    grid-template-columns:repeat(auto-fill,minmax(7.6rem,1fr));gap:1.2rem 1rem}
    .pictures li{break-inside:avoid;font-size:.78rem;line-height:1.4;min-width:0}
    .pictures img,.lost{width:100%;height:8rem;object-fit:contain;background:var(--panel);display:block;margin:0 0 .35rem}
    .pictures .small{image-rendering:pixelated;object-fit:contain}
    .lost{padding:.6rem;color:var(--soft);display:grid;place-items:center;text-align:center}
    .pictures p{margin:0}.pictures .class{font-weight:600;font-size:.86rem}.facts{color:var(--soft)}
    .pictures .class,.differs,.agrees{overflow:hidden;overflow-wrap:anywhere;display:-webkit-box;\
    -webkit-box-orient:vertical;-webkit-line-clamp:2}
    .file{overflow-wrap:anywhere}
    .differs{color:var(--c1)}.agrees{color:var(--c2)}
    th[scope=row]{font-weight:400;color:var(--ink);overflow-wrap:anywhere;max-width:22rem}
    .classes{width:100%;max-width:46rem}.share{width:45%;min-width:5rem;vertical-align:middle}
    .share span{display:block;height:.75rem;background:var(--c0);print-color-adjust:exact;-webkit-print-color-adjust:exact}
    @media(max-width:36rem){.share{width:18%;min-width:2.5rem}}
    @media print{.tiles{grid-template-columns:repeat(5,1fr)}.pictures{grid-template-columns:repeat(8,1fr);gap:.6rem}\
    .pictures img,.lost{height:5.4rem}.pictures li{font-size:6.5pt}.pictures .class{font-size:7pt}}
    """
}
