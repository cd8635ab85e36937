/// The style of a page. A color stands for a run; all else is neutral. Texts have a contrast of 5:1 or more on the page.
let pageStyle = #"""
    :root{color-scheme:light dark;--page:#fcfcfb;--raised:#f4f4f2;--ink:#17191c;--soft:#5a616b;--rule:#dfe1e3;
     --grid:#ebecec;--gap:#c4c8cc;--a:#1a5fb4;--b:#b34700;--c:#00796b;--d:#7a3e9d;--e:#606c00;--f:#a9285f;
     --good:#1c6b3c;--warn:#8a5300;--bad:#a8221c;
     --sans:system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",sans-serif;
     --mono:ui-monospace,"SF Mono",Menlo,Consolas,"Liberation Mono",monospace}
    @media (prefers-color-scheme:dark){:root{--page:#141618;--raised:#1d2023;--ink:#e9eaeb;--soft:#a0a7b0;--rule:#33373b;
     --grid:#25282b;--gap:#4b5157;--a:#78b4ff;--b:#ff9d57;--c:#5fd3c3;--d:#cf9df0;--e:#c2cc5f;--f:#ff93c4;
     --good:#74cf97;--warn:#e8b563;--bad:#ff8f86}}
    *{box-sizing:border-box}
    html{-webkit-text-size-adjust:100%}
    body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 var(--sans);font-variant-numeric:tabular-nums}
    main{max-width:1168px;margin:0 auto;padding:48px 24px 72px}
    h1,h2,h3,p,dl,dd,figure,ul{margin:0;padding:0}
    code{font-family:var(--mono);font-size:.92em}
    .soft{color:var(--soft)}.small{font-size:13px;line-height:1.45}.num{font-variant-numeric:tabular-nums}
    .a{color:var(--a)}.b{color:var(--b)}.c{color:var(--c)}.d{color:var(--d)}.e{color:var(--e)}.f{color:var(--f)}
    :focus-visible{outline:2px solid var(--a);outline-offset:3px;border-radius:3px}
    /* header */
    .run{display:flex;flex-wrap:wrap;gap:0 12px;align-items:baseline;font-size:15px}
    .run h1{font-size:15px;font-weight:650;overflow-wrap:anywhere}
    .verdict{font-size:34px;line-height:1.2;font-weight:600;letter-spacing:-.015em;margin:20px 0 8px;text-wrap:balance;
     overflow-wrap:anywhere}
    .verdict svg{width:.8em;height:.8em;vertical-align:-.04em;margin-right:.34em}
    .good{color:var(--good)}.warn{color:var(--warn)}.bad{color:var(--bad)}
    .reason{max-width:66ch;text-wrap:pretty;font-size:17px;line-height:1.5;color:var(--soft)}
    .reason b{color:var(--ink);font-weight:550}
    .keys{display:grid;grid-template-columns:repeat(6,1fr);gap:24px;margin:40px 0 0;padding:20px 0 0;
     border-top:1px solid var(--rule)}
    .keys dt{font-size:13px;color:var(--soft)}
    .keys dd{font-size:26px;line-height:1.25;font-weight:550;letter-spacing:-.01em}
    .keys dd span{display:block;font-size:13px;line-height:1.4;font-weight:400;letter-spacing:0;color:var(--soft);margin-top:3px}
    .bar{display:block;height:3px;margin:8px 0 0;max-width:110px;background:var(--rule);border-radius:2px}
    .bar i{display:block;height:3px;background:var(--ink);border-radius:2px}
    section{margin-top:72px}
    h2{font-size:20px;line-height:1.3;font-weight:600;letter-spacing:-.005em}
    h2+p{margin-top:4px;max-width:74ch;color:var(--soft)}
    h3{font-size:15px;font-weight:600;line-height:1.4}
    /* samples */
    .pair{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:40px;margin-top:28px;align-items:start}
    .pair.pics{grid-template-columns:repeat(2,minmax(0,526px));justify-content:space-between}
    figcaption{display:flex;justify-content:space-between;gap:12px;margin-bottom:10px;flex-wrap:wrap}
    figcaption h3{overflow-wrap:anywhere}
    .sheet{display:block;background:var(--gap);image-rendering:pixelated;width:calc(2*var(--w));max-width:100%;height:auto;
     object-fit:contain;object-position:0 0}
    .sheet.one{width:var(--w)}
    .filmctl{display:flex;gap:14px;align-items:center;margin-top:16px}
    .filmctl output{min-width:9ch;text-align:right}
    .frames{display:flex;justify-content:space-between;gap:4px;margin-top:16px}
    .frames figure{min-width:0;width:calc(2*var(--w))}
    .frames img{display:block;background:var(--gap);image-rendering:pixelated;width:100%;height:auto}
    .frames figcaption{display:block;margin:0 0 6px;font-size:12px;color:var(--soft)}
    .near{display:grid;grid-template-columns:repeat(16,64px);justify-content:space-between;gap:10px 0;margin-top:20px}
    .near img{display:block;width:100%;height:auto;image-rendering:pixelated}
    .near img+img{margin-top:3px}.near figcaption{display:block;margin:5px 0 0;font-size:12px;color:var(--soft)}
    .sub{margin-top:48px}.sub p{color:var(--soft);max-width:74ch}.sub p b{color:var(--warn)}
    .cloud{display:block;width:100%;height:auto;background:var(--raised)}
    .cloud image{opacity:.3}@media (prefers-color-scheme:dark){.cloud image{filter:invert(1)}}
    .dots{fill:none;stroke:currentColor;stroke-width:9;stroke-linecap:round;stroke-opacity:.85}
    .ways path,path.ways{fill:none}path.ways{stroke:var(--soft);stroke-width:1.5;stroke-opacity:.55}
    .arrows{fill:none;stroke:var(--ink);stroke-width:3;stroke-linecap:round;stroke-linejoin:round}
    .under{margin-top:10px;max-width:96ch}
    div.ways{margin-top:8px}div.ways.several{display:grid;grid-template-columns:minmax(0,1fr);gap:0 40px}
    .way .plot{height:230px;cursor:default}.thin{stroke:currentColor;stroke-width:1;stroke-opacity:.3}
    .ideal{stroke:var(--ink);stroke-width:1.25;stroke-dasharray:5 4}
    /* curves */
    .tools{display:none;gap:10px 32px;flex-wrap:wrap;align-items:center;margin-top:20px;font-size:13px}
    .js .tools{display:flex}.jsonly{display:none}.js .jsonly{display:flex}
    .seg{display:inline-flex;border:0;padding:0;margin:0;gap:8px;align-items:center;min-width:0}
    .seg legend{float:left;padding:0;color:var(--soft)}
    .seg label{position:relative;padding:4px 0;cursor:pointer;display:inline-flex}
    .seg input{position:absolute;opacity:0;pointer-events:none}
    .seg span{padding:3px 9px;border-radius:5px;color:var(--soft)}
    .seg input:checked+span{background:var(--raised);color:var(--ink);box-shadow:inset 0 0 0 1px var(--rule)}
    .seg input:focus-visible+span{outline:2px solid var(--a);outline-offset:1px}
    .tools label.sl{display:inline-flex;gap:10px;align-items:center;color:var(--soft)}
    .tools output{color:var(--ink);min-width:8ch}
    input[type=range]{accent-color:var(--ink);height:24px;margin:0;flex:1;min-width:120px}
    .chart{margin-top:20px;position:relative;touch-action:pan-y}
    .panel{display:grid;grid-template-columns:44px minmax(0,1fr) 216px;margin-top:30px}.panel.axis{margin-top:0}
    .stack{grid-column:2}.stack .plot+.plot{margin-top:10px}
    .plot{position:relative;grid-column:2;cursor:crosshair}
    .plot>svg:not(.marg){position:absolute;inset:0;width:100%;height:100%;display:block;overflow:hidden}
    .plot path{vector-effect:non-scaling-stroke}
    .line{fill:none;stroke:currentColor;stroke-width:1.75;stroke-linejoin:round}
    .band{fill:currentColor;fill-opacity:.17}
    .halo{fill:none;stroke:var(--page);stroke-width:4;stroke-linejoin:round;opacity:.75}
    .heatline{stroke:var(--ink)!important;stroke-width:1.5}
    .cells path{fill:currentColor;shape-rendering:crispEdges}
    .y{position:absolute;right:100%;margin-right:8px;transform:translateY(-50%);font-size:12px;line-height:1;color:var(--soft);
     white-space:nowrap}
    .g{position:absolute;left:0;right:0;height:0;border-top:1px solid var(--grid)}.g.zero{border-color:var(--rule)}
    .g.target{border-top:1px dashed var(--ink);opacity:.7;z-index:1}
    .tag{position:absolute;font-size:12px;line-height:1;color:var(--soft);white-space:nowrap;z-index:2;
     background:color-mix(in srgb,var(--page) 82%,transparent);padding:2px 3px;border-radius:2px}
    .tag.target{color:var(--ink)}b.tag{font-weight:600;max-width:100%;overflow:hidden;text-overflow:ellipsis}
    b.tag.a{color:var(--a)}b.tag.b{color:var(--b)}b.tag.c{color:var(--c)}b.tag.d{color:var(--d)}b.tag.e{color:var(--e)}
    b.tag.f{color:var(--f)}
    i.clip{position:absolute;margin-left:-4px;border:4px solid transparent;z-index:2}
    i.clip.up{top:0;border-top:0;border-bottom:6px solid currentColor}
    i.clip.dn{bottom:0;border-bottom:0;border-top:6px solid currentColor}
    span.clip{white-space:nowrap}
    .vh{position:absolute!important;width:100%;height:1px;min-width:0;opacity:0;pointer-events:none}
    .chart:focus-within{outline:1px solid var(--rule);outline-offset:14px;border-radius:2px}html:not(.js) .vh{display:none}
    .cur{position:absolute;top:0;bottom:0;width:0;border-left:1px solid var(--ink);opacity:.55;z-index:3;pointer-events:none}
    .dot{position:absolute;width:7px;height:7px;margin:-3.5px 0 0 -3.5px;border-radius:50%;background:currentColor;
     box-shadow:0 0 0 2px var(--page);z-index:4;pointer-events:none}
    .read{grid-column:3;padding-left:20px;position:relative;min-width:0}
    .read h3{line-height:1.25}.read .v{font-size:20px;line-height:1.35;font-weight:550}
    .read .r{font-size:12px;line-height:1.4;color:var(--soft)}
    .marg{position:absolute;left:100%;top:0;height:100%;width:44px;margin-left:6px}
    .marg path{fill:currentColor;fill-opacity:.8}
    .hasmarg .read{padding-left:66px}
    .multi .rv{display:flex;align-items:baseline;gap:0 10px}.multi .v{font-size:17px;min-width:3.2em}
    .multi .r{white-space:nowrap}.hasmarg .multi .v{min-width:0}
    .x{position:relative;height:20px;margin-top:6px;grid-column:2}
    .x span{position:absolute;transform:translateX(-50%);font-size:12px;color:var(--soft);white-space:nowrap}
    .x span:first-child{transform:none}.x span.end{transform:translateX(-100%)}
    .x .now{background:var(--page);color:var(--ink);padding:0 8px}
    .hint{margin-top:14px}
    /* tables, commands */
    .cols{display:grid;grid-template-columns:repeat(3,minmax(0,1fr));gap:8px 48px;margin-top:20px;align-items:start}
    .cols .two{grid-column:span 2}
    table{border-collapse:collapse;width:100%;font-size:14px}
    th,td{text-align:left;font-weight:400;padding:6px 12px 6px 0;border-bottom:1px solid var(--grid);vertical-align:top}
    th{color:var(--soft)}td.r,th.r{text-align:right;padding-right:0;padding-left:12px;overflow-wrap:anywhere}
    thead th{border-color:var(--rule)}
    tr.diff td,tr.diff th{color:var(--ink);font-weight:600}
    .wide{overflow-x:auto;margin-top:14px}.wide td,.wide th{white-space:nowrap}.wide .last{padding-left:40px}
    header .wide{margin-top:32px}
    details{margin-top:28px}footer details{margin-top:8px}
    summary{cursor:pointer;color:var(--soft);padding:4px 0;width:fit-content}
    details p,details li{max-width:80ch;color:var(--soft)}details ul{padding-left:18px;margin-top:8px}
    .cmd{display:grid;grid-template-columns:220px minmax(0,1fr);gap:8px 24px;margin-top:20px;align-items:center}
    .cmd code{display:flex;justify-content:space-between;gap:12px;background:var(--raised);padding:8px 12px;border-radius:6px;
     font:13px/1.6 var(--mono);overflow-wrap:anywhere;user-select:all}
    .cmd button{font:12px/1.6 var(--sans);border:0;background:none;color:var(--soft);cursor:pointer;padding:0 2px;
     user-select:none;white-space:nowrap;flex:none}
    .cmd button:hover{color:var(--ink)}
    footer{margin-top:72px;padding-top:20px;border-top:1px solid var(--rule)}
    @media (max-width:1140px){.sheet{width:var(--w)}.pair.pics{grid-template-columns:repeat(2,minmax(0,526px));
     justify-content:start}
     .frames figure{width:var(--w)}.near{grid-template-columns:repeat(8,64px);justify-content:start;gap:14px 12px}
     .keys{grid-template-columns:repeat(3,1fr)}.cols{grid-template-columns:repeat(2,minmax(0,1fr))}}
    @media (max-width:680px){main{padding:28px 20px 56px}.verdict{font-size:26px;margin-top:14px}.reason{font-size:16px}
     section{margin-top:56px}.keys{grid-template-columns:1fr 1fr;gap:20px 16px;margin-top:28px}.keys dd{font-size:22px}
     .pair{grid-template-columns:minmax(0,1fr);gap:32px}.pair.pics{grid-template-columns:minmax(0,1fr)}
     .panel{grid-template-columns:36px minmax(0,1fr);margin-top:26px}
     .read,.hasmarg .read{grid-column:1/3;grid-row:1;padding:0 0 8px;display:flex;flex-wrap:wrap;align-items:baseline;gap:0 10px}
     .read .v{font-size:16px;margin-left:auto}.rv{display:contents}.multi .rv{flex-basis:100%}.multi .v{margin-left:0}
     .multi .rv .r{flex-basis:auto}.read .r{flex-basis:100%}.marg{display:none}.seg,.tools label.sl{flex-wrap:wrap}
     .frames{flex-wrap:wrap;justify-content:start;gap:10px 8px}
     .near{grid-template-columns:repeat(auto-fill,40px);gap:10px 5px}
     .cols,.cmd{grid-template-columns:minmax(0,1fr)}.cols .two{grid-column:auto}.cmd{gap:4px}.cmd code{margin-bottom:10px}}
    @media (max-width:680px) and (min-resolution:2dppx){.sheet,.sheet.one{width:100%}}
    @media print,(prefers-contrast:more){g.b .line{stroke-dasharray:7 2.5}g.c .line{stroke-dasharray:2 2}
     g.d .line{stroke-dasharray:9 2 2 2}g.e .line{stroke-dasharray:4 4}g.f .line{stroke-dasharray:12 4}}
    @page{margin:14mm}
    @media print{:root{--gap:#bbb;--page:#fff;--raised:#f4f4f2;--ink:#000;--soft:#444;--rule:#bbb;--grid:#ddd;
     --a:#1a5fb4;--b:#b34700;--c:#00796b;--d:#7a3e9d;--e:#606c00;--f:#a9285f;--good:#1c6b3c;--warn:#8a5300;--bad:#a8221c}
     *{-webkit-print-color-adjust:exact;print-color-adjust:exact}body{font-size:11px}main{padding:0;max-width:none}
     .tools,.jsonly,.js .tools,.js .jsonly,.cmd button,.hint{display:none}section{margin-top:28px}
     .panel,figure,.near,.keys,.sub,.pair,.cmd{break-inside:avoid}h2,h3,h2+p{break-after:avoid}
     .frames figure{width:var(--w)}.verdict{font-size:22px}.keys{grid-template-columns:repeat(6,1fr)}.keys dd{font-size:17px}
     .sheet{width:var(--w)}.pair.pics{grid-template-columns:repeat(2,minmax(0,300px))}
     .panel{grid-template-columns:36px minmax(0,1fr) 196px;margin-top:16px}.wide{overflow:visible}table{font-size:11px}
     td,th{padding:3px 8px 3px 0}.wide .last{padding-left:20px}.near{grid-template-columns:repeat(16,32px);gap:8px}
     .cloud image{filter:none}}
    """#
