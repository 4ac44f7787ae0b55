import getpass

from flask import Flask, jsonify

app = Flask(__name__)


@app.get("/")
def index():
    return jsonify(user=getpass.getuser(), port="of call")
