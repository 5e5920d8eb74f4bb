// The live view on top of a form that works without it: the camera, a frame of it, and how far the sending is.
// A screen says which camera it wants (data-camera); what it shows is its data-view: file (as without a script), live, taken.
const LONGEST = 2400; // px, what is kept of a photo anyway
const MOST = 10 * 1024 * 1024; // bytes, what is accepted

let stream = null; // kept from one screen to the next, or phones ask for permission every time
let facing = "";

const photoScreen = () => document.querySelector(".capture[data-camera]");
const part = (name) => photoScreen()?.querySelector(name);

function show(view) {
  photoScreen().dataset.view = view;
  part(".said").textContent = part(".said").dataset[view] ?? "";
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
  const screen = photoScreen();
  const opened = await open(wanted);
  if (!photoScreen()) return stop();
  if (screen !== photoScreen()) return; // another one came meanwhile, and does this itself
  if (!opened || part("input[type=file]").files.length) return;
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
  show("file");
  live(facing || photoScreen().dataset.camera);
}

function prepare() {
  const screen = photoScreen();
  if (!screen) return stop();
  if (screen.dataset.view) return;
  show("file");
  live(screen.dataset.camera);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest(".capture[data-camera] button[type=button]");
  if (!button) return;
  if (button.matches(".shutter")) take();
  if (button.matches(".retake")) retake();
  if (button.matches(".switch")) live(facing === "user" ? "environment" : "user");
  if (button.matches(".choose")) {
    part("input[type=file]").removeAttribute("capture"); // the camera is open already: this is for what is on the phone
    part("input[type=file]").click();
  }
});

document.addEventListener("change", (event) => {
  if (event.target.matches(".capture input[type=file]")) chosen(event.target);
});

document.addEventListener("htmx:xhr:progress", (event) => {
  const bar = event.target.querySelector?.("progress");
  if (!bar || !event.detail.lengthComputable) return;
  bar.hidden = false;
  bar.value = event.detail.loaded / event.detail.total;
  if (bar.value === 1) part(".said").textContent = "Looking at the photo";
});
document.addEventListener("htmx:sendError", () => part("progress")?.setAttribute("hidden", ""));

document.addEventListener("htmx:load", prepare);
window.addEventListener("pagehide", stop);
prepare();
