import Foundation
import TestSupport
import Testing

@testable import KantoReport

/// The page in a real browser, without a window, where one is installed: `apt-get install chromium`.
@Suite(.enabled("no chromium or google-chrome is installed: the report is not looked at in a browser") { Browser.path != nil })
struct BrowserTests {
    @Test func nothingIsTooWideAndNoScriptFails() throws {
        let folder = try TemporaryFolder()
        let runs = try ["first", "a-second-run-with-a-long-name"].map { name in
            try MadeRun(1000, name: name, in: folder, change: { if $0 < 20 { $1.penalty = .nan } })
        }
        let recorded = try runs.map { try RecordedRun(folder: $0.path) }
        let pages = [Report([recorded[0]]).html, Report(recorded).html]
        let views = pages.indices.flatMap { page in [400, 1280].map { (page: page, width: $0) } }
        let seen = try Browser.look(at: pages, views, in: folder)
        for (view, seen) in zip(views, seen) {
            #expect(seen["errors"] as? String == "" && seen["width"] as? Int == view.width, "\(view): \(seen)")
            #expect(seen["overflow"] as? Int == 0, "\(view): \(seen)")
            // What the script draws is what the page holds, to half a thousandth of the height.
            #expect(seen["moved"] as? Double ?? .infinity <= 0.05, "\(view): \(seen)")
            // The cursor reads all curves; along seconds the axis ends with the run's time.
            #expect(seen["read"] as? Int == 6 && seen["seconds"] as? String == "0:20", "\(view): \(seen)")
        }
    }
}

enum Browser {
    static let path: String? = {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin").split(separator: ":")
        return ["chromium", "chromium-browser", "google-chrome"].lazy.flatMap { name in folders.map { "\($0)/\(name)" } }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }()

    /// Opens pages in frames of some widths, works their controls, and says what there is to see in each.
    static func look(
        at pages: [String], _ views: [(page: Int, width: Int)], in folder: TemporaryFolder
    ) throws -> [[String: Any]] {
        for (number, page) in pages.enumerated() { _ = try folder.write(watched(page), to: "page-\(number).html") }
        let frames = views.enumerated().map { place, view in
            "<iframe src='page-\(view.page).html' name='\(place)' width='\(view.width)' height='900' style='border:0'></iframe>"
        }
        let file = try folder.write(
            "<!doctype html><title>[]</title><script>var seen=[];addEventListener('message',function(e){"
                + "seen[e.data.place]=e.data;document.title=JSON.stringify(seen)})</script>" + frames.joined(), to: "frames.html")
        let dom = try ProgramOutcome(of: [
            path!, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-dev-shm-usage",
            "--disable-background-networking", "--virtual-time-budget=3000", "--user-data-dir=\(folder.path)/browser",
            "--window-size=1400,900", "--dump-dom", "file://" + file,
        ]).text
        guard let start = dom.range(of: "<title>")?.upperBound, let end = dom.range(of: "</title>")?.lowerBound else { return [] }
        let title = dom[start..<end].replacing("&lt;", with: "<").replacing("&amp;", with: "&")
        let seen = try JSONSerialization.jsonObject(with: Data(title.utf8)) as? [[String: Any]] ?? []
        #expect(seen.count == views.count, "\(dom.prefix(500))")
        return seen
    }

    /// The page with scripts of the test's own: before its script, between what it draws and that, and behind it.
    private static func watched(_ page: String) -> String {
        let before = """
            <script>var errors=[];addEventListener('error',function(e){errors.push(e.message)});
            document.addEventListener('securitypolicyviolation',function(e){errors.push('policy: '+e.blockedURI)});
            function paths(){return Array.prototype.map.call(document.querySelectorAll('.line,.halo,.band'),function(e){
             return e.getAttribute('d')})}</script>
            """
        let after = """
            <script>addEventListener('load',function(){
            var moved=0,drawn=paths(),e=document.documentElement;
            function over(){return e.scrollWidth-e.clientWidth}
            still.forEach(function(p,n){var a=p.match(/-?[\\d.]+/g)||[],b=drawn[n].match(/-?[\\d.]+/g)||[];
             if(a.length!==b.length)moved=1e9;
             a.forEach(function(v,i){if(i%2&&v>0&&v<100)moved=Math.max(moved,Math.abs(v-b[i]))})});
            var widest=over(),c=document.getElementById('cursor');c.value=500;c.dispatchEvent(new Event('input'));
            var read=Array.prototype.filter.call(document.querySelectorAll('.read .v0'),function(v){
             return v.dataset.rest&&v.textContent!=='–'}).length;
            document.querySelector('input[name=scale][value=log]').click();
            document.querySelector('input[name=axis][value=seconds]').click();
            var s=document.getElementById('smooth');s.value=0;s.dispatchEvent(new Event('input'));
            parent.postMessage({place:+window.name,errors:errors.join('; '),overflow:Math.max(widest,over()),width:e.clientWidth,
             moved:moved,read:read,seconds:document.querySelector('.x .end').textContent},'*')})</script>
            """
        return page.replacing("<title>", with: before + "<title>")
            .replacing("<script type=\"application/json\"", with: "<script>var still=paths()</script><script type=\"application/json\"")
            .replacing("</body>", with: after + "</body>")
    }
}
