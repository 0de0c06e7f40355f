import { mount } from 'svelte';
import Sandbox from './Sandbox.svelte';
import './sandbox.css';

const target = document.getElementById('sandbox');
if (target) mount(Sandbox, { target });
