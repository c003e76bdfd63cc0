#!/bin/sh
# Puts every server that `make bench-serving` compares with into an environment of its own.
#
#   benchmarks/serving/install_peers.sh FOLDER [NAME…]
#   DROPFORGE_PEERS=FOLDER make bench-serving
#
# All with one onnxruntime; PYTHON chooses the interpreter. What is there already stays; one that fails leaves the others.
set -u
folder=${1:?which folder? install_peers.sh FOLDER [NAME…]}
shift
runtime="onnxruntime==1.32.0"

packages() {
  case $1 in
    fastapi) echo "fastapi==0.165.0 uvicorn==0.54.0 httptools==0.9.0 uvloop==0.23.0 mangum==0.22.0" ;;
    mlserver) echo "mlserver==1.7.1" ;;
    kserve) echo "kserve==0.21.0" ;;
    litserve) echo "litserve==0.2.19" ;;
    bentoml) echo "bentoml==1.4.40" ;;
    awslambdaric) echo "awslambdaric==4.2.2 msgspec==0.22.0 numpy==2.4.6 orjson==3.13.0 pillow==13.0.0 pybase64==1.5.1" ;;
    shap) echo "shap==0.51.0 numba==0.68.1 llvmlite==0.50.0 numpy==2.4.6 scikit-learn==1.9.1" ;;
    servers) echo "msgspec==0.22.0 numpy==2.4.6 orjson==3.13.0 pillow==13.0.0 pybase64==1.5.1 uvicorn==0.54.0 httptools==0.9.0 uvloop==0.23.0 granian==2.8.7 hypercorn==0.18.0 aiohttp==3.14.5" ;;
    *) return 1 ;;
  esac
}

failed=""
for name in "${@:-fastapi mlserver kserve litserve bentoml servers shap awslambdaric}"; do for each in $name; do
  wanted=$(packages "$each") || { echo "no such peer: $each" >&2; exit 2; }
  if [ -e "$folder/$each/.ready" ]; then echo "$each: ready"; continue; fi
  # shellcheck disable=SC2086  # the list of packages is meant to be split
  "${PYTHON:-python3}" -m venv "$folder/$each" &&
    "$folder/$each/bin/python" -m pip install --quiet --disable-pip-version-check --prefer-binary "$runtime" $wanted &&
    touch "$folder/$each/.ready" && echo "$each: ready" || failed="$failed $each"
done; done
[ -z "$failed" ] || { echo "not installed:$failed" >&2; exit 1; }
