# shellcheck shell=bash
case_fresh() {
	as 1000 mkdir -p mosquitto/config
	as 1000 sh -c 'echo "listener 1883" >mosquitto/config/mosquitto.conf'
}
case_started() {
	case_fresh
	engine homeassistant 'mkdir -p /config/.storage && echo "{}" >/config/.storage/auth && chmod 600 /config/.storage/auth'
	engine mosquitto 'echo x >/mosquitto/data/mosquitto.db && chmod 600 /mosquitto/data/mosquitto.db'
}
