#include "sandbox/pages.h"

#include <cmath>

#include "sandbox/url.h"

namespace gateway::sandbox {
namespace {

constexpr const char* kStyle = R"(
:root{color-scheme:light dark;--ink:#1c2733;--soft:#5d6b79;--paper:#f5f7f9;--card:#fff;--line:#dde3e9;--accent:#1f6f8b}
@media(prefers-color-scheme:dark){:root{--ink:#e8eef3;--soft:#98a6b3;--paper:#12181e;--card:#1b232b;--line:#2c3741;--accent:#6cc3de}}
*{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{max-width:60rem;margin:0 auto;padding:2rem 1rem 4rem}h1{font-size:1.5rem;margin:0 0 .25rem}
.note{color:var(--soft);margin:0 0 1.5rem}a{color:var(--accent)}code{font-size:.9em}
.stage{background:linear-gradient(135deg,#10243f,#2f6f8f);color:#fff;border-radius:12px;display:flex;align-items:center;justify-content:center;text-align:center;padding:2rem;max-height:70vh;margin:0 auto;font-size:clamp(1.1rem,3.2vw,1.9rem);font-weight:600;text-shadow:0 2px 6px #0008;overflow:hidden}
.bar{height:4px;background:var(--line);border-radius:2px;margin:.75rem 0;overflow:hidden}.bar i{display:block;height:100%;width:0;background:var(--accent)}
button{font:inherit;padding:.4rem 1.1rem;border:1px solid var(--line);border-radius:8px;background:var(--card);color:inherit;cursor:pointer}
ol{list-style:none;padding:0;margin:1.5rem 0 0;display:grid;gap:.6rem}
li{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:.7rem 1rem;display:flex;gap:1rem}
li.now{border-color:var(--accent);box-shadow:0 0 0 1px var(--accent)}li time{color:var(--soft);font-variant-numeric:tabular-nums;white-space:nowrap}
video{width:100%;border-radius:12px;background:#000}table{width:100%;border-collapse:collapse;background:var(--card);border:1px solid var(--line)}
td,th{text-align:left;padding:.45rem .7rem;border-bottom:1px solid var(--line);font-size:.92rem;overflow-wrap:anywhere}
)";

// Plays the scenes: shows each one's text for its time.
constexpr const char* kPlayer = R"(
const read=()=>[...document.querySelectorAll('li')].map(li=>({li,at:+li.dataset.at,text:li.querySelector('span').textContent}));
let scenes=read(),total=+document.body.dataset.seconds;const words=document.querySelector('.stage span'),bar=document.querySelector('.bar i'),button=document.querySelector('button');
let started=0,frame=0;
function show(t){let n=0;scenes.forEach((s,i)=>{if(s.at<=t)n=i});scenes.forEach((s,i)=>s.li.classList.toggle('now',i===n));words.textContent=scenes[n]?scenes[n].text:'';bar.style.width=Math.min(100,100*t/total)+'%'}
function stop(){cancelAnimationFrame(frame);frame=0;button.textContent='Play'}
function step(now){const t=(now-started)/1000;if(t>=total){show(total);stop();return}show(t);frame=requestAnimationFrame(step)}
function play(at){cancelAnimationFrame(frame);started=performance.now()-at*1000;button.textContent='Stop';frame=requestAnimationFrame(step)}
const ready=()=>{scenes.forEach(s=>{s.li.style.cursor='pointer';s.li.onclick=()=>play(s.at)});show(0)};
button.onclick=()=>frame?stop():play(0);ready();
)";

// Talks to the page that has this one in a frame, in the words that Pictory's samples of such pages
// use: tells it what has happened, and answers each message that has an id under that id.
constexpr const char* kTalk = R"(
function talk(answers,...told){const above=window.parent;if(above===window)return;const tell=m=>above.postMessage(m,'*');
addEventListener('message',event=>{const asked=event.data;if(event.source!==above||!asked||typeof asked!=='object'||!asked.id)return;
const {id,message}=asked;try{if(!Object.hasOwn(answers,message))throw new Error(`There is no message ${message}`);
tell({id,message,...answers[message](asked)})}catch(error){tell({id,message,error:error.message})}});told.forEach(tell)}
)";

// What the page that embeds a preview may ask: to hide the words above it, and to show other
// renderParams, of either API version. Beside what Pictory's is known to answer, it tells the texts
// that it shows now.
constexpr const char* kPreviewTalk = R"(
const plain=html=>new DOMParser().parseFromString(String(html),'text/html').body.textContent;
function lines(params){if(Array.isArray(params?.scenes))return params.scenes.map(s=>({seconds:+s.time||0,text:s.sub_scenes.flatMap(p=>p.text_lines.map(l=>l.text)).join(' ')}));
if(Array.isArray(params?.elements))return params.elements.filter(e=>e.type==='text').map(e=>({seconds:+e.duration||0,text:e.text}));
throw new Error('renderParams has neither scenes nor elements')}
function update({renderParams}){let at=0;const list=lines(renderParams).map(({seconds,text})=>{const li=document.createElement('li'),span=document.createElement('span');
li.dataset.at=at;at+=seconds;span.textContent=plain(text);li.append(span);return li});
stop();document.querySelector('ol').replaceChildren(...list);scenes=read();total=at||1;ready();return{shown:scenes.map(s=>s.text)}}
function configure({options}){document.querySelector('h1').hidden=options?.showHeader===false;document.querySelector('.note').hidden=options?.showWarning===false}
talk({CONFIGURE_VIEW:configure,UPDATE_PREVIEW:update},{message:'ON_LOADED'});
)";

std::string Page(const std::string& title, const std::string& body_attributes,
                 const std::string& body) {
  return "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
         "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>" +
         EscapeHtml(title) + "</title><style>" + kStyle + "</style></head>\n<body" +
         body_attributes + "><main>\n" + body + "</main></body></html>\n";
}

std::string Minutes(double seconds) {
  const auto whole = static_cast<long>(std::llround(seconds));
  char text[24];
  std::snprintf(text, sizeof text, "%ld:%02ld", whole / 60, whole % 60);
  return text;
}

std::string SceneList(const Film& film) {
  std::string list = "<ol>\n";
  for (const Scene& scene : film.scenes) {
    char at[32];
    std::snprintf(at, sizeof at, "%.3f", scene.start);
    list += "<li data-at=\"" + std::string(at) + "\"><time>" + Minutes(scene.start) + "&ndash;" +
            Minutes(scene.start + scene.seconds) + "</time><span>" + EscapeHtml(scene.text) +
            "</span></li>\n";
  }
  return list + "</ol>\n";
}

std::string Facts(const Film& film) {
  return std::to_string(film.scenes.size()) + (film.scenes.size() == 1 ? " scene, " : " scenes, ") +
         Minutes(film.seconds) + ", " + std::to_string(film.width) + "&times;" +
         std::to_string(film.height);
}

}  // namespace

std::string PreviewPage(const Job& preview) {
  const Film& film = preview.film;
  char seconds[32];
  std::snprintf(seconds, sizeof seconds, " data-seconds=\"%.3f\"", film.seconds);
  std::string body = "<h1>" + EscapeHtml(film.name) +
                     "</h1>\n<p class=\"note\">Preview: " + Facts(film) +
                     ". Made by the sandbox, not by Pictory.</p>\n";
  body += "<div class=\"stage\" style=\"aspect-ratio:" + std::to_string(film.width) + "/" +
          std::to_string(film.height) + "\"><span></span></div>\n" +
          "<div class=\"bar\"><i></i></div>\n<button type=\"button\">Play</button>\n" +
          SceneList(film) + "<script>" + kPlayer + kTalk + kPreviewTalk + "</script>\n";
  return Page(film.name + " (preview)", seconds, body);
}

std::string SharePage(const Job& render) {
  const Film& film = render.film;
  const std::string base = "/media/" + render.id + "/video";
  std::string body = "<h1>" + EscapeHtml(film.name) + "</h1>\n<p class=\"note\">" + Facts(film) +
                     ". Made by the sandbox, not by Pictory.</p>\n<video controls poster=\"" +
                     base + ".jpg\"><source src=\"" + base +
                     ".mp4\" type=\"video/mp4\"><track kind=\"captions\" srclang=\"en\" src=\"" +
                     base + ".vtt\"></video>\n<p>";
  for (const char* type : {"mp4", "mp3", "jpg", "srt", "vtt", "txt"}) {
    body += "<a href=\"" + base + "." + type + "\">" + type + "</a> ";
  }
  return Page(film.name, "", body + "</p>\n" + SceneList(film));
}

std::string NoticePage(const std::string& title, const std::string& text) {
  return Page(
      title, "",
      "<h1>" + EscapeHtml(title) + "</h1>\n<p class=\"note\">" + EscapeHtml(text) + "</p>\n");
}

std::string NoPreviewPage(const std::string& text) {
  return Page("No preview", "",
              "<h1>No preview</h1>\n<p class=\"note\">" + EscapeHtml(text) + "</p>\n<script>" +
                  kTalk + "talk({},{message:'ON_ERROR',error:document.querySelector('.note')" +
                  ".textContent});</script>\n");
}

std::string EditorPage() {
  return Page("Editor", "",
              std::string("<h1>Editor</h1>\n<p class=\"note\">Pictory would edit this "
                          "transcription here.</p>\n<script>") +
                  kTalk +
                  "talk({SET_ACCESS_TOKEN(){},SET_WEBHOOK(){}},{message:'ON_READY'},"
                  "{message:'ON_LOADED'});</script>\n");
}

std::string FrontPage(const std::string& base_url, const std::vector<FrontRow>& newest_first) {
  std::string body =
      "<h1>Sandbox</h1>\n<p class=\"note\">A stand-in for Pictory at <code>" +
      EscapeHtml(base_url) +
      "</code>. Control: <a href=\"/sandbox/stats\">stats</a>, <a href=\"/sandbox/journal\">"
      "journal</a>, <a href=\"/sandbox/faults\">faults</a>. A video with "
      "<code>sandbox-fail</code>, <code>sandbox-stuck</code> or <code>sandbox-slow</code> in its "
      "name goes "
      "wrong on purpose; the README has all such "
      "names.</p>\n<table><tr><th>Job</th><th>Kind</th><th>Name</th><th>State</th></tr>\n";
  for (const FrontRow& row : newest_first) {
    const std::string id = EscapeHtml(row.id);
    body += "<tr><td><code>" +
            (row.link.empty() ? id : "<a href=\"" + EscapeHtml(row.link) + "\">" + id + "</a>") +
            "</code></td><td>" + EscapeHtml(row.kind) + "</td><td>" + EscapeHtml(row.name) +
            "</td><td>" + EscapeHtml(row.state) + "</td></tr>\n";
  }
  return Page("Sandbox", "", body + "</table>\n");
}

}  // namespace gateway::sandbox
