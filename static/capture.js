// The live view on top of a form that works without it: the camera, a frame of it, and how far the sending is.
// A screen says which camera it wants (data-camera); what it shows is its data-view: file (as without a script), live, taken.
// What could not be sent stays on the screen, with a sentence that says why and a button to try again.
const LONGEST = 2400; // px, what is kept of a photo anyway
const MOST = 10 * 1024 * 1024; // bytes, what is accepted
const SILENCE = 45_000; // ms without any progress after which a connection counts as lost; a photo may wait 30 s to be read

let stream = null; // kept from one screen to the next, or phones ask for permission every time
let facing = "";
let followed = false; // the screen came by itself, because the person goes on with a phone: no camera opens here

const photoScreen = () => document.querySelector(".capture[data-camera]");
const part = (name) => photoScreen()?.querySelector(name);

function show(view) {
  photoScreen().dataset.view = view;
  part(".said").textContent = part(".said").dataset[view] ?? "";
  part(".open").hidden = true;
}

// A camera that was refused, or not wanted yet, can still be had; without HTTPS there is none.
function offer() {
  if (photoScreen().dataset.view === "file") part(".open").hidden = !navigator.mediaDevices;
}

function stop() {
  stream?.getTracks().forEach((track) => track.stop());
  stream = null;
}

async function open(wanted) {
  if (stream?.active && facing === wanted) return true;
  stop();
  try {
    const video = { facingMode: { ideal: wanted }, width: { ideal: 2560 }, height: { ideal: 1440 } };
    stream = await navigator.mediaDevices.getUserMedia({ video, audio: false });
  } catch {
    return false; // no camera, no permission, no HTTPS: the file field is there
  }
  facing = wanted;
  return true;
}

async function live(wanted) {
  followed = false;
  const screen = photoScreen();
  const opened = await open(wanted);
  if (!photoScreen()) return stop();
  if (screen !== photoScreen()) return; // another one came meanwhile, and does this itself
  if (!opened) return offer();
  if (part("input[type=file]").files.length) return;
  const video = part("video");
  video.srcObject = stream;
  part(".viewport").dataset.mirrored = facing === "user";
  part(".switch").hidden = (await navigator.mediaDevices.enumerateDevices()).filter((one) => one.kind === "videoinput").length < 2;
  await video.play().catch(() => {});
  show("live");
}

// Draws it, at most LONGEST on a side; null when this browser cannot.
function draw(source, width, height) {
  const canvas = part("canvas");
  const scale = Math.min(1, LONGEST / Math.max(width, height));
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  canvas.getContext("2d").drawImage(source, 0, 0, canvas.width, canvas.height);
  return canvas;
}

async function fill(canvas) {
  const jpeg = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.92));
  const files = new DataTransfer();
  files.items.add(new File([jpeg], "photo.jpg", { type: "image/jpeg" }));
  part("input[type=file]").files = files.files;
}

async function take() {
  const video = part("video");
  if (!video.videoWidth) return;
  await fill(draw(video, video.videoWidth, video.videoHeight));
  show("taken");
  part(".use").focus();
}

async function chosen(input) {
  const [file] = input.files;
  if (!file) return;
  let picture;
  try {
    picture = await createImageBitmap(file);
  } catch {
    return show("file"); // HEIC, perhaps: it cannot be shown here, and can be sent
  }
  part(".viewport").dataset.mirrored = false;
  const canvas = draw(picture, picture.width, picture.height);
  if (file.size > MOST) await fill(canvas);
  show("taken");
  part(".use").focus();
}

function retake() {
  part("input[type=file]").value = "";
  resolved(part("form"));
  show("file");
  live(facing || photoScreen().dataset.camera);
}

function prepare() {
  const screen = photoScreen();
  if (!screen) return stop();
  if (screen.dataset.view) return;
  show("file");
  if (!followed) return live(screen.dataset.camera);
  stop();
  offer();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest(".capture[data-camera] button[type=button]");
  if (!button) return;
  if (button.matches(".shutter")) take();
  if (button.matches(".retake")) retake();
  if (button.matches(".open")) live(photoScreen().dataset.camera);
  if (button.matches(".switch")) live(facing === "user" ? "environment" : "user");
  if (button.matches(".choose")) {
    part("input[type=file]").removeAttribute("capture"); // the camera is open already: this is for what is on the phone
    part("input[type=file]").click();
  }
});

document.addEventListener("change", (event) => {
  resolved(event.target.form);
  if (event.target.matches(".capture input[type=file]")) chosen(event.target);
});

// ── Sending ─────────────────────────────────────────────────────────────────────────────────────────────────────

const isForm = (element) => element.matches(".capture form");
const asksByItself = (element) => element.matches("[hx-trigger^=every]");

function failed(element, sentence) {
  const place = isForm(element) ? element : element.parentElement;
  const said = place.querySelector(".unsent") ?? document.createElement("p");
  said.className = "error unsent";
  said.setAttribute("role", "alert");
  said.textContent = sentence;
  place.prepend(said);
  element.querySelector("progress")?.setAttribute("hidden", "");
  const button = element.querySelector(".button.primary");
  if (!button) return;
  button.dataset.label ??= button.textContent;
  button.textContent = "Try again";
  requestAnimationFrame(() => button.focus()); // it is disabled until htmx has done with this answer
}

// Another photo, another answer: the word about the last one goes.
function resolved(form) {
  form?.querySelector(".unsent")?.remove();
  const button = form?.querySelector("[data-label]");
  if (button) button.textContent = button.dataset.label;
}

function lost(event) {
  const element = event.detail.elt;
  if (!element.closest(".capture") || asksByItself(element)) return;
  failed(element, navigator.onLine ? "The connection was lost: this was not sent." : "No connection: this was not sent.");
}
for (const name of ["sendError", "sendAbort", "timeout"]) document.addEventListener(`htmx:${name}`, lost);

// It is not sent by itself: the first try may have arrived, and the person may have changed the photo.
window.addEventListener("online", () => {
  const said = document.querySelector(".capture .unsent");
  if (said) said.textContent = "The connection is back.";
});

let silence;
function listen(xhr) {
  clearTimeout(silence);
  silence = setTimeout(() => xhr.abort(), SILENCE);
}
document.addEventListener("htmx:beforeSend", (event) => {
  if (!isForm(event.detail.elt)) return;
  resolved(event.detail.elt);
  listen(event.detail.xhr);
  event.detail.xhr.upload.addEventListener("progress", () => listen(event.detail.xhr));
});
document.addEventListener("htmx:afterRequest", (event) => isForm(event.detail.elt) && clearTimeout(silence));

// What the service cannot do at this moment is said beside the photo; every other answer is a screen.
document.addEventListener("htmx:beforeSwap", (event) => {
  const xhr = event.detail.xhr;
  const elt = event.detail.requestConfig.elt; // who asked; detail.elt is where the answer goes
  if (!elt.closest(".capture")) return;
  followed = elt.matches(".follows");
  if (followed && (isBusy() || !elt.isConnected)) event.detail.shouldSwap = false; // meanwhile something was done here
  if (xhr.status < 500) return;
  event.detail.shouldSwap = false;
  if (asksByItself(elt)) return;
  const problem = new DOMParser().parseFromString(xhr.responseText, "text/html").querySelector(".problem p:not(.code)");
  failed(elt, problem?.textContent ?? "The service does not answer at this moment.");
});

// Looking on while the person goes on elsewhere: only when that is seen, and never in the middle of something here.
function isBusy() {
  const form = document.querySelector(".capture > footer form");
  return Boolean(form?.querySelector("input[type=file]")?.files.length || form?.querySelector(":checked") || document.querySelector(".capture form.htmx-request"));
}
document.addEventListener("htmx:beforeRequest", (event) => {
  const element = event.detail.elt;
  if (!element.closest(".capture") || !asksByItself(element)) return;
  const isUnseen = document.hidden || !element.getClientRects().length;
  if (isUnseen || (element.matches(".follows") && isBusy())) event.preventDefault();
});

document.addEventListener("htmx:xhr:progress", (event) => {
  const bar = event.target.querySelector?.("progress");
  if (!bar || !event.detail.lengthComputable) return;
  bar.hidden = false;
  bar.value = event.detail.loaded / event.detail.total;
  if (bar.value === 1) part(".said").textContent = "Looking at the photo";
});
document.addEventListener("htmx:load", prepare);
window.addEventListener("pagehide", stop);
prepare();
